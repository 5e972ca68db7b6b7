/**
 * A host on which a plan is in force: a firewall VM with two ports and a media VM with a disk controller, all
 * of them on vfio-pci, in a file tree; and a context for the commands that act on it. Processes are real.
 */
import * as fs from 'node:fs'
import { beginJournal, type JournalRecord } from '../../src/apply/journal.ts'
import type { Identity } from '../../src/pci/identity.ts'
import type { System } from '../../src/machine/system.ts'
import { runCommand, type Command, type Said } from './run-command.ts'
import { address, fakeSysfs, identityOf, put, tempTree, type FakeDevice } from './fake-kernel.ts'
import { withProcesses } from './with-processes.ts'

const port = (number: number): FakeDevice => ({
  address: `0000:01:00.${number}`,
  place: `pci0000:00/0000:00:1c.0/0000:01:00.${number}`,
  vendor: '8086',
  device: '10d3',
  driver: 'vfio-pci',
})
const controller: FakeDevice = {
  address: '0000:02:00.0',
  place: 'pci0000:00/0000:00:1c.1/0000:02:00.0',
  vendor: '8086',
  device: '2922',
  driver: 'vfio-pci',
}

export const spec = `version: 1
vms:
  firewall:
    memory: 64 MiB
    firmware: bios
    guest: linux
    devices: { wan: { class: nic }, lan: { class: nic } }
  media:
    memory: 64 MiB
    firmware: bios
    guest: linux
    needs: [firewall]
    devices: { disks: { class: storage } }
`

const assigned = (
  vm: string,
  role: string,
  device: FakeDevice,
  hostDriver: string,
  more: Partial<Identity>,
) => ({
  ...{ vm, role, address: address(device.address), hostDriver, moved: null },
  identity: { ...identityOf(device), ...more },
})

export const record: JournalRecord = {
  ...{
    schema: 1,
    id: '0001',
    createdAt: '2026-01-02T03:04:05Z',
    version: 'test',
    bootId: 'boot',
    planHash: '',
  },
  ...{ needsReboot: false, takenAlong: [], spare: [], steps: [], saved: [], spec: '/root/home.yaml' },
  assignments: [
    assigned('firewall', 'wan', port(0), 'e1000e', { macs: ['52:54:00:00:00:01'] }),
    assigned('firewall', 'lan', port(1), 'e1000e', { macs: ['52:54:00:00:00:02'] }),
    assigned('media', 'disks', controller, 'ahci', { diskSerials: ['DISK-1', 'DISK-2'] }),
  ],
  startOrder: ['firewall', 'media'],
}

export type InForce = {
  readonly root: string
  readonly system: System
  /** Runs a command; its exit code and all it said. */
  readonly run: <O>(command: Command<O>, args: readonly string[], options: O) => Promise<Said>
  readonly end: () => void
}

export function hostInForce(made: JournalRecord | null = record): InForce {
  const root = tempTree()
  fakeSysfs(root, [port(0), port(1), controller], { 'vfio-pci': [], e1000e: [], ahci: [] })
  put(root, '/root/home.yaml', spec)
  put(root, '/proc/meminfo', 'MemTotal: 16000000 kB\nMemAvailable: 15000000 kB\n')
  put(root, '/proc/sys/kernel/random/boot_id', 'boot\n')
  const system = withProcesses(root)
  if (made !== null) {
    system.makeFolder(`/var/lib/handover/journal/${made.id}`)
    beginJournal(system, made).append({ event: 'end', outcome: 'applied' })
  }
  return {
    ...{ root, system },
    run: (command, args, options) => runCommand(system, command, args, options),
    end: () => fs.rmSync(root, { recursive: true, force: true }),
  }
}
