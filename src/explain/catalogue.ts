/**
 * The table of tables. The first signature that knows a line explains it: inside a table the particular ones
 * stand before the general ones, and what wraps the words of another program comes after that program.
 */
import { guestSignatures } from './guest.ts'
import { iommuSignatures } from './kernel-iommu.ts'
import { pciSignatures } from './kernel-pci.ts'
import { vfioSignatures } from './kernel-vfio.ts'
import { libvirtSignatures } from './libvirt.ts'
import { proxmoxSignatures } from './proxmox.ts'
import { qemuDeviceSignatures } from './qemu-devices.ts'
import { qemuVfioSignatures } from './qemu-vfio.ts'
import { qemuSignatures } from './qemu.ts'
import { shellSignatures } from './shell.ts'
import type { Emitter, Signature } from './signature.ts'

const tables: readonly (readonly [Emitter, readonly Signature[]])[] = [
  ['kernel', iommuSignatures],
  ['kernel', vfioSignatures],
  ['kernel', pciSignatures],
  ['qemu', qemuVfioSignatures],
  ['qemu', qemuDeviceSignatures],
  ['qemu', qemuSignatures],
  ['libvirt', libvirtSignatures],
  ['proxmox', proxmoxSignatures],
  ['guest', guestSignatures],
  ['shell', shellSignatures],
]

export const catalogue: readonly { readonly emitter: Emitter; readonly signature: Signature }[] =
  tables.flatMap(([emitter, signatures]) => signatures.map((signature) => ({ emitter, signature })))
