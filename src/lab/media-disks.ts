/** The disks of the lab's cards: file systems with files whose bytes follow from their names, so that a hash proves them. */
import { createCipheriv, createHash } from 'node:crypto'
import { join } from 'node:path'
import type { System } from '../system/system.ts'
import {
  copyFile,
  ensureFolder,
  exists,
  makeRunFolder,
  move,
  putFile,
  putSparseFile,
  removeTree,
  sha256,
} from '../system/work-folder.ts'
import { makeFileSystem } from './host-image.ts'
import { functionsOf, type LabDisk, type Topology } from './topology.ts'

export type MediaFile = { readonly disk: string; readonly name: string; readonly sha256: string }

export type MediaDisks = { readonly images: ReadonlyMap<string, string>; readonly files: readonly MediaFile[] }

/** Makes (or takes from the cache) every disk of the topology and copies it into the run folder. */
export async function mediaDisks(
  system: System,
  topology: Topology,
  cache: string,
  runFolder: string,
): Promise<MediaDisks> {
  const images = new Map<string, string>()
  const files: MediaFile[] = []
  for (const { fn } of functionsOf(topology)) {
    if (fn.device === 'nvme') {
      const image = join(runFolder, `nvme-${fn.serial ?? ''}.img`)
      putSparseFile(image, fn.size ?? 16)
      images.set(fn.serial ?? '', image)
    }
    for (const disk of fn.disks ?? []) {
      const image = join(runFolder, `${disk.serial}.img`)
      copyFile(await diskImage(system, disk, cache), image)
      images.set(disk.serial, image)
      for (const [name, mib] of Object.entries(disk.files ?? {}))
        files.push({ disk: disk.serial, name, sha256: sha256(fileBytes(name, mib)) })
    }
  }
  return { images, files }
}

async function diskImage(system: System, disk: LabDisk, cache: string): Promise<string> {
  const image = join(cache, 'disks', `${sha256(JSON.stringify(disk)).slice(0, 16)}.img`)
  if (exists(image)) return image
  const work = makeRunFolder('handover-lab-disk')
  try {
    const tree = ensureFolder(join(work, 'tree'))
    for (const [name, mib] of Object.entries(disk.files ?? {})) putFile(join(tree, name), fileBytes(name, mib))
    await makeFileSystem(system, tree, join(work, 'disk.img'), disk.size, disk.serial.slice(0, 16))
    copyFile(join(work, 'disk.img'), `${ensureFolder(join(cache, 'disks'))}/part`)
    move(join(cache, 'disks', 'part'), image)
    return image
  } finally {
    removeTree(work)
  }
}

/** AES in counter mode over zeros, keyed by the name: looks random, is the same everywhere, and takes no time. */
function fileBytes(name: string, mib: number): Uint8Array {
  const key = createHash('sha256').update(name).digest().subarray(0, 16)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(mib * 1024 * 1024))
}
