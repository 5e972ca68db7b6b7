/**
 * The disks of the lab's cards: file systems with files. The name of a file determines its bytes, so a hash
 * proves that they arrived.
 */
import { sha256 } from '../images/sha256.ts'
import { createCipheriv, createHash } from 'node:crypto'
import { join } from 'node:path'
import type { System } from '../machine/system.ts'
import { makeFileSystem } from './host-image.ts'
import { functionsOf, type LabDisk, type Topology } from './topology.ts'

export type MediaFile = { readonly disk: string; readonly name: string; readonly sha256: string }

export type MediaDisks = {
  readonly images: ReadonlyMap<string, string>
  readonly files: readonly MediaFile[]
}

/** Makes every disk of the topology in the run folder. */
export async function mediaDisks(system: System, topology: Topology, runFolder: string): Promise<MediaDisks> {
  const images = new Map<string, string>()
  const files: MediaFile[] = []
  for (const { fn } of functionsOf(topology)) {
    if (fn.device === 'nvme') {
      const image = join(runFolder, `nvme-${fn.serial ?? ''}.img`)
      system.work.putSparseFile(image, fn.size ?? 16)
      images.set(fn.serial ?? '', image)
    }
    for (const disk of fn.disks ?? []) {
      const image = join(runFolder, `${disk.serial}.img`)
      await makeDisk(system, disk, image)
      images.set(disk.serial, image)
      for (const [name, mib] of Object.entries(disk.files ?? {}))
        files.push({ disk: disk.serial, name, sha256: sha256(fileBytes(name, mib)) })
    }
  }
  return { images, files }
}

async function makeDisk(system: System, disk: LabDisk, image: string): Promise<void> {
  const work = system.work.makeRunFolder('handover-lab-disk')
  try {
    const tree = system.work.ensureFolder(join(work, 'tree'))
    for (const [name, mib] of Object.entries(disk.files ?? {}))
      system.work.putFile(join(tree, name), fileBytes(name, mib))
    await makeFileSystem(system, tree, image, { label: disk.serial.slice(0, 16), sizeMiB: disk.size })
  } finally {
    system.work.removeTree(work)
  }
}

/**
 * AES in counter mode over zeros, with the name as its key: bytes that look random and are the same on every
 * machine.
 */
function fileBytes(name: string, mib: number): Uint8Array {
  const key = createHash('sha256').update(name).digest().subarray(0, 16)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(mib * 1024 * 1024))
}
