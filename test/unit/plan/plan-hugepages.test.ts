import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hugepagesFile, hugepagesPath, nrHugepages } from '../../../src/boot/host-setup.ts'
import type { Host } from '../../../src/host/host.ts'
import { planHugepages } from '../../../src/plan/changes/plan-hugepages.ts'
import { grubDropIn } from '../../../src/boot/loaders/grub.ts'
import { planBoot } from '../../../src/plan/changes/plan-boot.ts'
import type { Spec } from '../../../src/spec/spec.ts'
import { put, tempTree } from '../../support/fake-kernel.ts'
import { host } from '../../support/host-builder.ts'
import { lacks } from '../../support/tools.ts'
import { specOf } from '../../support/spec.ts'

function specWith(size: string | undefined, ...guests: readonly string[]): Spec {
  const vms = guests.map((memory, i) => `  vm${i}: { memory: ${memory}, hugepages: true }\n`).join('')
  const section = size === undefined ? '' : `host: { hugepages: ${size} }\n`
  return specOf(`version: 1\n${section}vms:\n${vms}`)
}

const hostOf = (total: { small?: number; large?: number }, facts: Partial<Host> = {}): Host =>
  host([], {
    memory: {
      totalMiB: 65_536,
      availableMiB: 60_000,
      hugepages: [
        { sizeKiB: 2048, total: total.small ?? 0, free: 0 },
        { sizeKiB: 1_048_576, total: total.large ?? 0, free: 0 },
      ],
    },
    boot: { efi: false, present: ['/run/systemd/system'], bootNames: [] },
    ...facts,
  })

describe('huge pages of 2 MiB', () => {
  it('are counted for each guest, once, on top of none that is there', () => {
    const plan = planHugepages(hostOf({ small: 100 }), specWith('2 MiB', '1 GiB', '513 MiB'))
    expect(plan.findings).toMatchObject([{ code: 'hugepages-missing' }])
    const even = planHugepages(hostOf({ small: 100 }), specWith('2 MiB', '1 GiB', '514 MiB'))
    expect(even.steps).toMatchObject([
      { kind: 'sysfs', path: nrHugepages(2048), before: '100', after: '769', partial: true },
    ])
    expect(even.files).toMatchObject([
      { path: hugepagesPath, before: null, after: { text: hugepagesFile(2048, 769).text, mode: 0o644 } },
    ])
  })

  it('are never given back when there are more than wanted', () => {
    const files = [hugepagesFile(2048, 512)]
    expect(planHugepages(hostOf({ small: 4096 }, { files }), specWith('2 MiB', '1 GiB'))).toEqual({
      steps: [],
      files: [],
      arguments: { add: [], remove: [] },
      findings: [],
    })
  })

  it('are refused when they do not fit into what is available now', () => {
    expect(planHugepages(hostOf({}), specWith('2 MiB', '60 GiB')).findings).toMatchObject([
      {
        code: 'hugepages-missing',
        message: expect.stringContaining('60000 MiB of memory are available now'),
      },
    ])
  })

  it('are forgotten at the next boot when the spec wants none any more', () => {
    const files = [hugepagesFile(2048, 512)]
    expect(
      planHugepages(hostOf({ small: 512 }, { files }), specWith(undefined, '1 GiB')).files,
    ).toMatchObject([{ path: hugepagesPath, after: null }])
  })

  it.skipIf(lacks('systemd-tmpfiles'))('come at boot by what systemd-tmpfiles makes of our file', () => {
    const root = tempTree()
    try {
      put(root, nrHugepages(2048), '0\n')
      const file = hugepagesFile(2048, 769)
      put(root, file.path, file.text, file.mode)
      execFileSync('systemd-tmpfiles', ['--create', '--boot', `--root=${root}`])
      expect(fs.readFileSync(join(root, nrHugepages(2048)), 'utf8').trim()).toBe('769')
    } finally {
      fs.rmSync(root, { recursive: true })
    }
  })
})

describe('huge pages of 1 GiB', () => {
  const change = (cmdline: string, large = 0) =>
    planHugepages(hostOf({ large }, { kernel: { cmdline } }), specWith('1 GiB', '4 GiB'))

  it.each<[string, string, object]>([
    ['none yet', 'quiet', { add: ['hugepagesz=1G', 'hugepages=4'], remove: [] }],
    ['fewer than now wanted', 'hugepagesz=1G hugepages=2', { add: ['hugepages=4'], remove: ['hugepages=2'] }],
  ])('come by kernel arguments: %s', (_, cmdline, expected) => {
    expect(change(cmdline)).toMatchObject({ steps: [], findings: [], arguments: expected })
  })

  it.each([
    ['somebody else sets pages aside there', 'default_hugepagesz=1G hugepages=2', /in a way of its own/],
    ['the order is another', 'hugepages=4 hugepagesz=1G', /in a way of its own/],
    ['the kernel gave fewer', 'hugepagesz=1G hugepages=4', /set aside 0 of 4/],
  ])('stop the plan when %s', (_, cmdline, message) => {
    expect(change(cmdline)).toMatchObject({
      arguments: { add: [], remove: [] },
      findings: [{ code: 'hugepages-missing', message: expect.stringMatching(message) }],
    })
  })

  it('are enough when they are there, however they came', () =>
    expect(change('whatever', 4)).toMatchObject({ arguments: { add: [], remove: [] }, findings: [] }))

  it('are replaced in the drop-in, once, with their order kept', () => {
    const present = ['/boot/grub/grub.cfg', '/etc/default/grub', '/usr/sbin/update-grub']
    const grub = { path: '/etc/default/grub', text: 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n' }
    const replace = { add: ['hugepages=4'], remove: ['hugepages=2'] }
    const planned = (args: string) => {
      const text = `# Written by handover. To undo: handover rollback (or remove this file and run update-grub).\nGRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT ${args}"\n`
      const facts = {
        boot: { efi: false, present, bootNames: [] },
        files: [grub, { path: grubDropIn, text, mode: 0o644 }],
      }
      return planBoot(hostOf({}, facts), { identities: [], trial: false, iommu: false, replace })
    }
    const [step] = planned('hugepagesz=1G hugepages=2 iommu=pt').steps
    expect(step?.kind === 'file' && step.after?.text).toContain(' hugepagesz=1G iommu=pt hugepages=4"\n')
    expect(planned('hugepagesz=1G iommu=pt hugepages=4')).toEqual({
      steps: [],
      findings: [],
      needsReboot: true,
    })
  })
})
