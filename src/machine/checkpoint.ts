/** Makes what was written complete in its place on the disk, not only in the log of its file system. */
import script from '../../assets/boot/checkpoint.sh?raw'
import { exec } from './exec.ts'

/**
 * Where it cannot be done (no right to freeze, no such program), the files are as durable as fsync(2) makes
 * them. The program is in a process group of its own and has no time limit: it never leaves a file system
 * frozen because its caller ends.
 */
export async function checkpoint(paths: readonly string[]): Promise<void> {
  await exec(['sh', '-c', script, 'checkpoint', ...paths])
}
