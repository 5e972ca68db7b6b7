/**
 * The disks that an installed host starts from: its own disk, from the cache, and a second one with the built
 * tool and the specs.
 */
import { basename, dirname, join, resolve } from 'node:path'
import { guestImage } from '../../images/guest-image.ts'
import { labKernel } from '../../images/kernel.ts'
import type { System } from '../../machine/system.ts'
import type { HostBoot } from '../host-args.ts'
import { makeFileSystem } from '../host-image.ts'
import { readSpec, toolFiles } from '../overlay.ts'
import type { Topology } from '../topology.ts'
import { installedImage, type MakingImage } from './image.ts'
import { firmwareArgs } from './machine-args.ts'
import { installedSystems, type InstalledKind } from './systems.ts'

/** Of a topology's packages, below /opt/handover in the host. */
export const packageNames = ['packages/older.deb', 'packages/newer.deb'] as const

type Wanted = { readonly topology: Topology; readonly topologyFile: string; readonly kind: InstalledKind }

export async function prepareInstalled(
  system: System,
  what: Wanted,
  folder: string,
  making: MakingImage,
): Promise<Extract<HostBoot, { kind: 'disk' }>> {
  const installed = installedSystems[what.kind]
  const image = await installedImage(system, installed, making)
  const toolDisk = await makeToolDisk(system, what, folder, making)
  const variables = join(folder, 'vars.fd')
  if (image.variables !== undefined) system.work.copyFile(image.variables, variables)
  const firmware = firmwareArgs(system, installed, variables)
  if (what.topology.story !== 'power-cut') return { kind: 'disk', disk: image.disk, toolDisk, firmware }
  const disk = join(folder, 'boot.img')
  system.work.copyFile(image.disk, disk)
  return { kind: 'disk', disk, toolDisk, firmware, isKept: true }
}

/** What a host has below /opt/handover: the tool, the lab's questions, specs, packages, guests. */
async function makeToolDisk(
  system: System,
  what: Wanted,
  folder: string,
  making: MakingImage,
): Promise<string> {
  const tree = system.work.ensureFolder(join(folder, 'tool'))
  for (const { path, content } of toolFiles(system)) system.work.putFile(join(tree, path), content)
  // The lab's scripts are on this disk, so that an image in the cache can run new ones.
  for (const name of ['host/snapshot.sh', 'installed/files.sh'])
    system.work.putFile(
      join(tree, 'lab', basename(name)),
      system.work.readFile(join(system.work.packageFolder(), 'lab', name)),
      0o755,
    )
  putSpecs(system, what, tree)
  const { packages = [] } = what.topology
  for (const [index, name] of packages.entries())
    system.work.copyFile(resolve(dirname(what.topologyFile), name), join(tree, packageNames[index] ?? name))
  const hasGuests = what.kind === 'debian-vms'
  if (hasGuests) await putGuests(system, join(tree, 'guests'), making)
  const toolDisk = join(folder, 'tool.img')
  // A package brings its own Node.
  const sizeMiB = 64 + 64 * packages.length + (hasGuests ? 192 : 0)
  await makeFileSystem(system, tree, toolDisk, { label: 'labtool', sizeMiB })
  return toolDisk
}

/** The spec and its variants beside it: reboot.yaml, reboot-no-network.yaml … */
function putSpecs(system: System, { topology: { spec }, topologyFile }: Wanted, tree: string): void {
  if (spec === undefined) return
  readSpec(system, spec, topologyFile)
  const specs = dirname(resolve(dirname(topologyFile), spec))
  for (const name of system.work.listFiles(specs))
    system.work.putFile(join(tree, 'specs', name), system.work.readFile(join(specs, name)))
}

/** The kernel and the initramfs of the lab's small guests. */
async function putGuests(system: System, folder: string, { cache, say }: MakingImage): Promise<void> {
  const kernel = await labKernel(system, cache, say)
  system.work.putFile(join(folder, 'guest.cpio'), await guestImage(system, kernel))
  system.work.copyFile(kernel.vmlinux, join(folder, 'vmlinux'))
}
