/**
 * A temporary tree that looks like a host with UEFI firmware and one network card, its IOMMU off, and what a
 * test asks of it between two states: what differs, what it is as a Host, what a file says.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { readHost } from '../../src/host/read/read-host.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { fakeSysfs, put as putInto, tempTree } from './fake-kernel.ts'
import { differences, snapshotTree, type TreeEntry } from './snapshot-tree.ts'
import { fakePrograms, nic } from './transactions.ts'

export const kernel = '6.1.0-9-amd64'

/** What a transaction writes for itself, and what the kernel shows: no test of files looks there. */
const notCompared = [
  '/var/lib/handover',
  '/run',
  '/proc',
  '/bin-fake',
  '/dev',
  '/sys/bus',
  '/sys/devices',
  '/sys/kernel',
]

export type LoaderHost = ReturnType<typeof loaderHost>

/** One for a test file; `begin` makes its tree again for each test, `end` removes it. */
export function loaderHost() {
  let root = ''
  let programs: ReturnType<typeof fakePrograms> | undefined
  let before = new Map<string, TreeEntry>()
  const at = (path: string) => join(root, path)
  const put = (path: string, text: string, mode?: number) => putInto(root, path, text, mode)
  const changed = () => differences(before, snapshotTree(root, notCompared))
  const system = () => linuxSystem({ root })
  return {
    at,
    put,
    changed,
    system,
    /**
     * `present`: empty files, executable; what only has to exist. `generators`: stand-ins
     * (test/support/transactions.ts).
     */
    begin: (
      present: readonly string[],
      folders: readonly string[],
      {
        cmdline,
        generators,
      }: { readonly cmdline: string; readonly generators: Readonly<Record<string, string>> },
    ) => {
      root = makeTree(present, folders, cmdline)
      programs = fakePrograms(root, generators)
    },
    end: () => programs?.end(),
    /** From here on `changed` tells what differs. */
    remember: () => (before = snapshotTree(root, notCompared)),
    /** The paths alone. */
    paths: () => changed().map((line) => line.slice(0, line.indexOf(': '))),
    host: () => readHost(system()),
    read: (path: string) => fs.readFileSync(at(path), 'utf8'),
    loaderVariable: (name: string, value: string) => putLoaderVariable(root, name, value),
    /** The IOMMU is on and the kernel was started with these arguments. */
    start: (cmdline: string) => {
      put('/proc/cmdline', `${cmdline}\n`)
      put('/sys/kernel/iommu_groups/1/type', 'DMA\n')
    },
  }
}

function makeTree(present: readonly string[], folders: readonly string[], cmdline: string): string {
  const root = tempTree()
  fakeSysfs(root, [nic], { e1000e: ['8086:10d3'], 'vfio-pci': [] })
  putInto(root, '/sys/firmware/acpi/tables/DMAR', 'DMAR')
  putInto(root, '/proc/cmdline', `${cmdline}\n`)
  putInto(root, '/proc/sys/kernel/osrelease', `${kernel}\n`)
  putInto(root, '/proc/self/mountinfo', '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n')
  putInto(root, '/dev/kmsg', '')
  for (const path of present) putInto(root, path, '', 0o755)
  for (const path of ['/run/systemd/system', '/etc/udev', '/var/lib', `/lib/modules/${kernel}`, ...folders])
    fs.mkdirSync(join(root, path), { recursive: true })
  return root
}

/** An EFI variable of the Boot Loader Interface as efivarfs shows it: attributes, then UTF-16 with an end. */
function putLoaderVariable(root: string, name: string, value: string): void {
  const text = Buffer.from(`${value}\0`, 'utf16le')
  const path = `/sys/firmware/efi/efivars/${name}-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f`
  putInto(root, path, '')
  fs.writeFileSync(join(root, path), Buffer.concat([Buffer.from([7, 0, 0, 0]), text]))
}
