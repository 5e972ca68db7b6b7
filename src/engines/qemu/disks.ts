/** Creates the disk images of a VM that do not exist. Existing images are never changed. */
import { dirname } from 'node:path'
import { AppError } from '../../base/errors.ts'
import type { DiskSpec } from '../../spec/spec.ts'
import type { System } from '../../machine/system.ts'

export async function prepareDisks(system: System, disks: readonly DiskSpec[]): Promise<void> {
  for (const disk of disks) {
    if (system.work.exists(disk.path)) continue
    if (disk.sizeMiB === undefined) {
      throw new AppError(`the disk image ${disk.path} does not exist`, {
        help: 'give it a size in the spec, and it will be created',
      })
    }
    system.work.ensureFolder(dirname(disk.path))
    if (disk.format === 'raw') {
      system.work.putSparseFile(disk.path, disk.sizeMiB)
      continue
    }
    if (system.work.findProgram('qemu-img') === undefined) {
      throw new AppError(`creating ${disk.path} needs qemu-img`, {
        help: 'apt-get install qemu-utils, or write format: raw',
      })
    }
    const result = await system.exec(
      ['qemu-img', 'create', '-q', '-f', 'qcow2', disk.path, `${disk.sizeMiB}M`],
      {
        timeoutSeconds: 60,
      },
    )
    if (result.status !== 0)
      throw new AppError(`qemu-img could not create ${disk.path}: ${result.stderr.trim()}`)
  }
}
