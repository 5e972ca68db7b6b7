/** The table of makers of unified kernel images. */
import type { Host } from '../../host/host.ts'
import { dracutMaker } from './dracut.ts'
import type { UkiMaker } from './maker.ts'
import { mkinitcpioMaker } from './mkinitcpio.ts'
import { ukifyMaker } from './ukify.ts'

const makers: readonly UkiMaker[] = [mkinitcpioMaker, ukifyMaker, dracutMaker]

/** Undefined when no known maker is configured to make the images. */
export function findUkiMaker(host: Host): UkiMaker | undefined {
  return makers.find((maker) => maker.isUsed(host))
}
