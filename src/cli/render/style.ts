/** Colours, decided once by the caller: the same text without them says the same. */
import { styleText } from 'node:util'

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
  // Some Node 20 releases let styleText look at the stream itself; validateStream would take the decision from us.
  const paint =
    (format: Parameters<typeof styleText>[0]): Paint =>
    (text) =>
      enabled ? styleText(format, text, { validateStream: false }) : text
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  }
}
