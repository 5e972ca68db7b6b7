/**
 * What the stories ask an installed host about itself, in the words of its kernel and file system, never of
 * the tool under test.
 */
import type { LabHost } from '../lab-host.ts'
import { parseSnapshot, type Snapshot } from '../snapshot.ts'

/** One line for each fact of a path (lab/installed/files.sh): its bytes, its mode and owner, its link. */
export type FileFacts = ReadonlySet<string>

export type HostState = { readonly functions: Snapshot; readonly files: FileFacts }

export async function readFunctions(host: LabHost): Promise<Snapshot> {
  return parseSnapshot((await host.run('/opt/handover/lab/snapshot.sh')).lines)
}

/** Hashing the files takes a while under emulation: only where they are compared. */
export async function readState(host: LabHost): Promise<HostState> {
  const functions = await readFunctions(host)
  const files = new Set((await host.run('/opt/handover/lab/files.sh', { timeoutSeconds: 120 })).lines)
  return { functions, files }
}

/** Paths of which any fact differs, sorted. */
export function changedPaths(before: FileFacts, after: FileFacts): string[] {
  const paths = new Set<string>()
  for (const line of [...before].filter((one) => !after.has(one))) paths.add(pathOf(line))
  for (const line of [...after].filter((one) => !before.has(one))) paths.add(pathOf(line))
  return [...paths].toSorted()
}

function pathOf(line: string): string {
  const words = line.split(' ')
  const at = words.findIndex((word) => word.startsWith('/'))
  return words[0] === 'link' ? (words[at] ?? line) : words.slice(at).join(' ')
}

export type BootedAs = { readonly cmdline: string; readonly isTrial: boolean; readonly groups: number }

export async function readBootedAs(host: LabHost): Promise<BootedAs> {
  const said = await host.run('cat /proc/cmdline; ls /sys/kernel/iommu_groups | wc -l')
  const cmdline = said.lines[0] ?? ''
  return { cmdline, isTrial: cmdline.includes('handover.trial=1'), groups: Number(said.lines[1]) }
}

/**
 * Lines of the kernel's log in which one of the drivers speaks of one of the functions: `e1000e 0000:01:00.0:
 * …`.
 */
export async function driverLines(
  host: LabHost,
  drivers: readonly string[],
  addresses: readonly string[],
): Promise<string[]> {
  const pattern = `(${drivers.join('|')}).*(${addresses.map((address) => address.replaceAll('.', '\\.')).join('|')})`
  return [...(await host.run(`dmesg | grep -E '${pattern}'`)).lines]
}
