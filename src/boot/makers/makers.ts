/** The makers of unified kernel images that are known. */
import type { Host } from '../../host/host.ts'
import { dracutMaker } from './dracut.ts'
import type { UkiMaker } from './maker.ts'
import { mkinitcpioMaker } from './mkinitcpio.ts'
import { ukifyMaker } from './ukify.ts'

const makers: readonly UkiMaker[] = [mkinitcpioMaker, ukifyMaker, dracutMaker]

/**
 * Undefined when none of them says that it makes such images, or what makes them is beyond what can be seen
 * from here.
 */
export function findUkiMaker(host: Host): UkiMaker | undefined {
  return makers.find((maker) => maker.isUsed(host))
}
