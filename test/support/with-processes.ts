/**
 * A System whose files are a tree's and whose processes are this machine's: VMs can be started on it, with
 * their sockets in the tree.
 */
import { linuxSystem } from '../../src/machine/linux.ts'
import type { System } from '../../src/machine/system.ts'

/** `isInside`: which paths are the tree's; all but processes, where nothing else is said. */
export function withProcesses(
  root: string,
  isInside = (path: string): boolean => !/^\/proc\/\d+\//.test(path),
): System {
  const [inside, live] = [linuxSystem({ root }), linuxSystem()]
  const whose = (path: string) => (isInside(path) ? inside : live)
  return {
    ...inside,
    readText: (path, limit) => whose(path).readText(path, limit),
    list: (path) => whose(path).list(path),
    stat: (path) => whose(path).stat(path),
  }
}
