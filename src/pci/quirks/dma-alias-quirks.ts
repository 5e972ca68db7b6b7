/**
 * Devices that use another requester id than their own, and bridges that hide who asked. Facts from
 * drivers/pci/quirks.c of kernels 6.1.192, 6.12.117 and 7.2.13. How the kernel uses them is in
 * pci/dma-alias.ts.
 */
import type { PciDevice } from '../device.ts'
import { type IdList, idList, rowsByIds } from './id-list.ts'
import type { Since } from './kernel-release.ts'

export type AliasRule =
  /** Function 0 (or 1) of the own slot; function 1 may not even exist. */
  | 'function0'
  | 'function1'
  /** Adaptec with subsystem 9005:02bb or 9005:02bc: 01.0 of its bus. */
  | 'adaptecSubsystem'
  /** Xeon Phi x200: 10.0, 11.0 and 12.3 of its bus. */
  | 'phi'
  /** Intel VCA: functions 0 to 4 of every slot of its bus. */
  | 'everySlot'
  | 'wholeBus'
  /** Switchtec NTB (class 0680): the table is in its memory, so it may alias anything on its bus. */
  | 'switchtec'
  /**
   * A PCIe-to-PCI bridge without the capability that says so: below a PCIe port it aliases as such a bridge.
   */
  | 'hiddenPcieToPci'
  /** A PCIe-to-PCI bridge that keeps requester ids. */
  | 'bridgeWithoutAlias'
  /** Translation happens below: the walk up ends here. */
  | 'translatesBelow'

export type AliasQuirk = {
  readonly vendor: string
  readonly devices: IdList
  readonly rule: AliasRule
  readonly since?: Since
}

const quirk = (vendor: string, rule: AliasRule, devices: string, since?: Since): AliasQuirk => ({
  vendor,
  rule,
  devices: idList(devices),
  ...(since && { since }),
})

const rows: readonly AliasQuirk[] = [
  // Ricoh, Glenfly
  quirk('1180', 'function0', 'e832 e476'),
  quirk('6766', 'function0', '3d40 3d41'),
  // Marvell 88SE9xxx SATA; HighPoint and Plextor M6e are the same chips; JMicron JMB388
  quirk('1b4b', 'function1', '9120 9123 9125 9128 9130 9170 9172 917a 9182 9183 91a0 9215 9220 9230 9235'),
  quirk('1103', 'function1', '0642 0645'),
  quirk('1c28', 'function1', '0122'),
  quirk('197b', 'function1', '2392'),
  quirk('9005', 'adaptecSubsystem', '0285'),
  // ASMedia ASM1083/1085, Tundra, ITE, Intel 82801
  quirk('1b21', 'hiddenPcieToPci', '1080'),
  quirk('10e3', 'hiddenPcieToPci', '8113'),
  quirk('1283', 'hiddenPcieToPci', '8892 8893'),
  quirk('8086', 'hiddenPcieToPci', '244e'),
  quirk('8086', 'phi', '2260 2264'),
  quirk('8086', 'everySlot', '2954-2956 2958-295a'),
  // Cavium ThunderX2
  quirk('14e4', 'translatesBelow', '9000 9084'),
  // ASPEED AST1150, in front of the BMC's display
  quirk('1a03', 'bridgeWithoutAlias', '1150', {
    from: [7, 2, 13],
    stable: [],
    lackedBy: [
      [6, 1, 192],
      [6, 12, 117],
    ],
  }),
  // PLX NTB
  quirk('10b5', 'wholeBus', '87b0 87b1'),
  // Microsemi Switchtec, all generations (1008 of the second row since 6.12.117 and 7.3; what it aliases is
  // never sure)
  quirk(
    '11f8',
    'switchtec',
    `8531-8536 8541-8546 8551-8556 8561-8566 8571-8576 4000 4028 4036 4052 4068 4084 4100 4128 4136
    4152 4168 4184
     4200 4228 4236 4252 4268 4284 4328 4336 4352 4428 4436 4452 4528 4536 4552 5000 5028 5036 5052 5068 5084
     5100 5128 5136 5152 5168 5184 5200 5228 5236 5252 5268 5284 5300 5328 5336 5352 5368 5384
     5400 5428 5436 5452 5468 5484 5500 5528 5536 5552 5568 5584`,
  ),
  quirk('1055', 'switchtec', '1001-1006 1008'),
]

export const aliasQuirksOf: (vendorId: string, deviceId: string) => readonly AliasQuirk[] = rowsByIds(rows)

const makers: ReadonlySet<string> = new Set(rows.map((row) => row.vendor))

export function hasAliasQuirks(vendorId: string): boolean {
  return makers.has(vendorId)
}

/**
 * Volume Management Device endpoints (drivers/pci/controller/vmd.c up to 7.3; a kernel whose driver does not
 * know one shows nothing behind it): what is behind one shares its requester id.
 */
const vmdEndpoints = new Set(
  '201d 28c0 28c1 467f 4c3d 7d0b 9a0b a77f ad0b b06f b07f b60b d70b d73b'.split(' '),
)

export function isVmdEndpoint({ vendorId, deviceId }: Pick<PciDevice, 'vendorId' | 'deviceId'>): boolean {
  return vendorId === '8086' && deviceId !== undefined && vmdEndpoints.has(deviceId)
}
