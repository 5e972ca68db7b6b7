/** Colours, decided once by the caller: the same text without them says the same. */
import { sealedColour } from '../../base/printable.ts'

type Paint = (text: string) => string

export type Styler = {
  readonly bold: Paint
  readonly dim: Paint
  readonly red: Paint
  readonly green: Paint
  readonly yellow: Paint
  readonly cyan: Paint
}

export function styler(enabled: boolean): Styler {
  const paint = (on: number, off: number): Paint =>
    enabled ? (text) => sealedColour(on) + text + sealedColour(off) : (text) => text
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  }
}
