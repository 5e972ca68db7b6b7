import { expect, it } from 'vitest'
import { judgeHost } from '../../../src/judge/judge.ts'
import { bootChange } from '../../../src/plan/changes/plan-boot.ts'
import type { Host } from '../../../src/host/host.ts'
import { hostWith } from '../../support/host-builder.ts'

const hostOf = (cmdline: string, kind: 'intel' | 'amd' = 'intel'): Host => ({
  ...hostWith(),
  source: { kind: 'live' },
  iommu: { state: 'off', kind },
  kernel: { cmdline },
})

function said(host: Host): string {
  const found = judgeHost(host).findings.find(({ code }) => code === 'iommu-off')
  return `${found?.message ?? ''} | ${found?.help ?? ''}`
}

it.each([
  ['intel_iommu=off', 'intel_iommu=off'],
  ['intel-iommu="off" quiet', 'intel-iommu="off"'],
  ['quiet iommu=pt,off', 'iommu=pt,off'],
  ['iommu=offline', 'iommu=offline'],
])('%s turns it off, and is what is to be removed', (cmdline, raw) => {
  expect(said(hostOf(cmdline))).toContain(
    `but ${raw} on the kernel command line turns it off | remove ${raw} from `,
  )
  expect(bootChange(hostOf(cmdline))?.remove).toEqual([raw])
})

it.each([
  ['dyndbg="file drivers/iommu iommu=off +p"', 'inside quotes of another argument'],
  ['quiet -- iommu=off', 'meant for init'],
  ['xiommu=off', 'another name'],
  ['intel_iommu=on,strict', 'on'],
])('%s does not: %s', (cmdline) => {
  expect(said(hostOf(cmdline))).not.toContain('turns it off')
  expect(bootChange(hostOf(cmdline))?.remove ?? []).toEqual([])
})

it('memory encryption is named as it stands there', () => {
  expect(said(hostOf('quiet mem_encrypt=on', 'amd'))).toContain('memory encryption (mem_encrypt=on)')
  expect(said(hostOf('quiet', 'amd'))).toContain('the kernel did not take it')
})
