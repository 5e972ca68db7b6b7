import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCapture } from '../../../src/cli/commands/capture.ts'
import { runInspect } from '../../../src/cli/commands/inspect.ts'
import type { Context } from '../../../src/cli/context.ts'
import { styler } from '../../../src/show/text/style.ts'
import { captureSchema } from '../../../src/api/capture.ts'
import { inspectSchema } from '../../../src/api/inspect.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { documentOf } from '../../support/documents.ts'
import { pci, tree } from '../../support/sysfs-tree.ts'

function contextFor(root: string): { context: Context; out: () => string; err: () => string } {
  const said = { out: '', err: '' }
  const context: Context = {
    system: linuxSystem({ root }),
    out: (text) => void (said.out += `${Array.from(text).join('')}\n`),
    file: (text) => void (said.out += text),
    err: (text) => void (said.err += `${text}\n`),
    isTerminal: false,
    columns: 80,
    style: styler(false),
    errStyle: styler(false),
  }
  return { context, out: () => said.out, err: () => said.err }
}

const machine = (): string =>
  tree(
    pci({ at: 'pci0000:00/0000:00:17.0', ids: '8086:a102', classCode: '010601', driver: 'ahci', group: 4 }),
    pci({
      at: 'pci0000:00/0000:00:1c.0',
      ids: '8086:a110',
      classCode: '060400',
      driver: 'pcieport',
      group: 5,
    }),
    pci({
      at: 'pci0000:00/0000:00:1c.0/0000:01:00.0',
      driver: 'e1000e',
      group: 13,
      files: {
        reset_method: 'flr bus\n',
        numa_node: '0\n',
        'net/eth3/flags': '0x1002\n',
        'net/eth3/operstate': 'down\n',
      },
    }),
    {
      '/sys/class/net/eth3': '-> ../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0/net/eth3',
      '/proc/self/mountinfo': '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n',
      '/proc/net/route': 'Iface\n',
      '/sys/dev/block/8:1': '-> ../../devices/pci0000:00/0000:00:17.0/ata1/block/sda/sda1',
      '/sys/class/block/sda1': '-> ../../devices/pci0000:00/0000:00:17.0/ata1/block/sda/sda1',
      '/sys/devices/pci0000:00/0000:00:17.0/ata1/block/sda/sda1/partition': '1\n',
      '/sys/class/iommu/dmar0': '-> ../../devices/virtual/iommu/dmar0',
      '/usr/share/misc/pci.ids':
        '8086  Intel Corporation\n\t10d3  82574L Gigabit Network Connection\n\ta102  SATA Controller\n',
    },
  )

describe('inspect', () => {
  it('prints the document of the contract', async () => {
    const { context, out } = contextFor(machine())
    expect(await runInspect([], { json: true }, context)).toBe(0)
    const report = documentOf(inspectSchema, out())
    expect(report.schema).toBe(1)
    expect(report.source).toEqual({ kind: 'sysfs' })
    expect(report.iommu).toEqual({ state: 'on', kind: 'intel', interruptRemapping: null })
    expect(report.groups).toEqual([
      { id: 4, devices: ['0000:00:17.0'], viable: false, isolated: 'yes' },
      { id: 5, devices: ['0000:00:1c.0'], viable: true, isolated: 'unknown' },
      { id: 13, devices: ['0000:01:00.0'], viable: false, isolated: 'unknown' },
    ])
    expect(report.devices[2]).toEqual({
      address: '0000:01:00.0',
      name: 'Intel Corporation 82574L Gigabit Network Connection',
      vendorId: '8086',
      deviceId: '10d3',
      classCode: '020000',
      driver: 'e1000e',
      iommuGroup: 13,
      numaNode: 0,
      resetMethods: ['flr', 'bus'],
      path: '0000:00/1c.0/00.0',
      neededBy: [{ what: 'the only network port', chain: [] }],
      verdict: 'caution',
      findings: ['host-network'],
    })
    expect(report.devices[0]).toMatchObject({
      neededBy: [{ what: '/', chain: ['sda1'] }],
      verdict: 'refused',
      findings: ['host-disk'],
    })
    expect(report.findings.find((finding) => finding.code === 'host-disk')).toMatchObject({
      severity: 'error',
      about: ['0000:00:17.0'],
    })
    // No configuration space, no forecast.
    expect(report).not.toHaveProperty('predictedGroups')
  })

  it('answers about one device, and says which it cannot find', async () => {
    const { context, out } = contextFor(machine())
    expect(await runInspect(['01:00.0'], {}, context)).toBe(0)
    expect(out()).toContain('path        0000:00:1c.0 ')
    await expect(runInspect(['02:00.0'], {}, context)).rejects.toMatchObject({ exitCode: 1 })
    await expect(runInspect(['eth0'], {}, context)).rejects.toMatchObject({ exitCode: 2 })
    const one = contextFor(machine())
    await runInspect(['01:00.0'], { json: true }, one.context)
    const report = documentOf(inspectSchema, one.out())
    expect(report.devices.map((device) => device.address)).toEqual(['0000:01:00.0'])
    expect(report.groups.map((group) => group.id)).toEqual([13])
  })

  it('writes a report beside the text', async () => {
    const root = machine()
    const { context, out, err } = contextFor(root)
    const file = join(root, 'report.html')
    expect(await runInspect([], { html: file, table: true }, context)).toBe(0)
    expect(out().split('\n')[0]).toMatch(/^address/)
    expect(err()).toContain(`report written to ${file}`)
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>[^]*<svg/)
  })

  it('reads its own capture back to the same document', async () => {
    const root = machine()
    const file = join(root, 'host.yaml')
    await runCapture([], { output: file }, contextFor(root).context)
    const asked = contextFor(root)
    await runCapture([], { output: file, json: true }, asked.context)
    expect(documentOf(captureSchema, asked.out())).toEqual({
      ...{ schema: 1, file, devices: 3, replaced: 0, findings: [] },
    })
    const [live, replayed] = [contextFor(root), contextFor('/')]
    await runInspect([], { json: true }, live.context)
    await runInspect([], { json: true, from: file }, replayed.context)
    const without = (text: string) => ({ ...documentOf(inspectSchema, text), source: undefined })
    expect(without(replayed.out())).toEqual(without(live.out()))
  })
})
