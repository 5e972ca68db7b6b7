/**
 * What users report of cards that do not come back from a guest. No kernel and no maker states it, so nothing
 * is decided on it: it is shown as what it is, with its place and date. Facts of the kernel are in
 * reset-quirks.ts.
 */
import { type IdList, idList, rowsByIds } from './id-list.ts'

export type ResetReport = {
  readonly vendor: string
  readonly devices: IdList
  /** The generation of cards, for a message. */
  readonly of: string
  readonly what: string
  readonly source: string
  /** Year and month of the report. */
  readonly date: string
}

const rows: readonly ResetReport[] = [
  {
    vendor: '10de',
    devices: idList('2b85 2b87 2c02 2c05 2d04 2f04'),
    of: 'GeForce RTX 50 (Blackwell)',
    what: 'it does not reset after the VM stops, and may hang the host',
    source: 'github.com/NVIDIA/open-gpu-kernel-modules issue 853',
    date: '2025-05',
  },
  {
    vendor: '1002',
    devices: idList('7550 7590'),
    of: 'Radeon RX 9000 (RDNA 4)',
    what:
      'it does not come back after the VM restarts until the host does, and vendor-reset does ' +
      'not know it',
    source: 'github.com/gnif/vendor-reset issue 107',
    date: '2026-01',
  },
  {
    vendor: '1002',
    devices: idList('1586'),
    of: 'Radeon 8060S (Strix Halo)',
    what: 'it can be given to a VM once, and not again until the host restarts',
    source: 'github.com/Uhh-IDontKnow/Proxmox_AMD_AI_Max_395_Radeon_8060s_GPU_Passthrough issue 3',
    date: '2025-11',
  },
]

export const resetReportsOf: (vendorId: string, deviceId: string) => readonly ResetReport[] = rowsByIds(rows)
