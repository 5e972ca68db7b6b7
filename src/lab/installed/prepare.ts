/**
 * Everything an installed host starts from: its disk out of the cache, the built tool and the specs on a disk
 * of their own.
 */
import { basename, dirname, join, resolve } from 'node:path'
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

export async function prepareInstalled(
  system: System,
  what: { readonly topology: Topology; readonly topologyFile: string; readonly kind: InstalledKind },
  folder: string,
  making: MakingImage,
): Promise<Extract<HostBoot, { kind: 'disk' }>> {
  const installed = installedSystems[what.kind]
  const image = await installedImage(system, installed, making)
  const tree = system.work.ensureFolder(join(folder, 'tool'))
  for (const { path, content } of toolFiles(system)) system.work.putFile(join(tree, path), content)
  // The lab's questions come along: an image in the cache answers new ones, too.
  for (const name of ['host/snapshot.sh', 'installed/files.sh'])
    system.work.putFile(
      join(tree, 'lab', basename(name)),
      system.work.readFile(join(system.work.packageFolder(), 'lab', name)),
      0o755,
    )
  const { spec } = what.topology
  if (spec !== undefined) {
    readSpec(system, spec, what.topologyFile)
    // The spec and its variants beside it: reboot.yaml, reboot-no-network.yaml …
    const specs = dirname(resolve(dirname(what.topologyFile), spec))
    for (const name of system.work.listFiles(specs))
      system.work.putFile(join(tree, 'specs', name), system.work.readFile(join(specs, name)))
  }
  const { packages = [] } = what.topology
  for (const [index, name] of packages.entries())
    system.work.copyFile(resolve(dirname(what.topologyFile), name), join(tree, packageNames[index] ?? name))
  const toolDisk = join(folder, 'tool.img')
  // A package brings its own Node.
  await makeFileSystem(system, tree, toolDisk, { label: 'labtool', sizeMiB: 64 + 64 * packages.length })
  const variables = join(folder, 'vars.fd')
  if (image.variables !== undefined) system.work.copyFile(image.variables, variables)
  return { kind: 'disk', disk: image.disk, toolDisk, firmware: firmwareArgs(system, installed, variables) }
}
