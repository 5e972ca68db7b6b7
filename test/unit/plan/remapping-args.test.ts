/**
 * Kernel arguments that end interrupt remapping: none may be asked for, and the one that is there is the one
 * to remove.
 */
import { describe, expect, it } from 'vitest'
import { findJudgement, judgeHost } from '../../../src/judge/judge.ts'
import { checkKernelArguments } from '../../../src/plan/changes/kernel-arguments.ts'
import { parseSpec } from '../../../src/spec/parse-spec.ts'
import { at, device, host as hostOf } from '../../support/host-builder.ts'

const said = (arg: string) => {
  const { spec } = parseSpec(
    `version: 1\nhost:\n  kernel-arguments: ["${arg}"]\nvms:\n  box: { memory: 1 GiB }\n`,
    'home.yaml',
  )
  return spec && checkKernelArguments(spec).map(({ code, severity }) => `${severity} ${code}`)
}

describe('an argument asked for', () => {
  it.each([
    ...[
      'nointremap',
      'nointremap=1',
      'intremap=off',
      'intremap=nosid,off',
      'intremap=off,nopost',
      'intremap=offline',
    ],
    ...[
      'intel_iommu=off',
      'intel-iommu=off',
      'intel_iommu=on,off',
      'amd_iommu=off',
      'iommu=off',
      'iommu=pt,off',
    ],
    ...['noapic', 'nolapic', 'nosmp', 'disableapic', 'acpi=off', 'intremap=nosid'],
  ])('%s is refused', (arg) => expect(said(arg)).toEqual(['error kernel-argument']))

  it.each([
    'iommu=pt',
    'intremap=on',
    'intremap=nopost',
    'intremap=no_x2apic_optout',
    'intel_iommu=igfx_off',
    'quiet',
  ])('%s is not', (arg) => expect(said(arg)).toEqual([]))
})

describe('the help where interrupts are not remapped', () => {
  const help = (cmdline: string) => {
    const host = hostOf([device('01:00.0', { group: 1 })], {
      kernel: { cmdline },
      iommu: { state: 'on', kind: 'intel', interruptRemapping: false },
      files: [{ path: '/etc/default/grub', text: '' }],
    })
    return findJudgement(judgeHost(host), at('01:00.0'))?.reasons.find(
      ({ code }) => code === 'no-interrupt-remapping',
    )?.help
  }

  it.each([
    ['quiet nointremap ro', 'remove nointremap from'],
    ['intremap=nosid,off', 'remove intremap=nosid,off from'],
    ['noapic nointremap', 'remove noapic nointremap from'],
    ['intremap=off intremap=off', 'remove intremap=off from'],
  ])('of %s names what is there', (cmdline, words) => expect(help(cmdline)).toContain(words))

  it.each(['quiet', 'intremap=on', 'quiet -- nointremap'])('of %s names the firmware', (cmdline) =>
    expect(help(cmdline)).toContain('firmware'),
  )
})
