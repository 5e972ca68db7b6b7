import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { VmSpec } from '../../../../src/spec/spec.ts'
import { linuxSystem } from '../../../../src/machine/linux.ts'
import { checkLimits } from '../../../../src/engines/qemu/limits.ts'
import { put, tempTree } from '../../../support/fake-kernel.ts'
import { specOf } from '../../../support/spec.ts'

let root = ''
beforeEach(() => {
  root = tempTree()
  put(root, '/proc/self/cgroup', '0::/system.slice/handover.service\n')
})
afterEach(() => fs.rmSync(root, { recursive: true }))

const limits = (soft: string) =>
  put(
    root,
    '/proc/self/limits',
    `Limit  Soft Limit  Hard Limit  Units\nMax locked memory  ${soft}  ${soft}  bytes\n`,
  )
const capabilities = (hex: string) => put(root, '/proc/self/status', `Name:\tnode\nCapEff:\t${hex}\n`)
const memoryMax = (group: string, max: string) => put(root, `/sys/fs/cgroup${group}/memory.max`, `${max}\n`)

function vmOf(more = ''): VmSpec {
  const [vm] = specOf(`version: 1\nvms: { box: { memory: 4 GiB${more} } }\n`).vms
  if (vm === undefined) throw new Error('no VM')
  return vm
}
const check =
  (isPinned: boolean, more = '') =>
  () =>
    checkLimits(linuxSystem({ root }), vmOf(more), isPinned)

/** All capabilities of Linux 6.1, and the same without CAP_IPC_LOCK. */
const [all, withoutLock] = ['000001ffffffffff', '000001ffffffbfff']

describe('locked memory', () => {
  it('has no limit for root', () => {
    capabilities(all)
    limits('8388608')
    expect(check(true)).not.toThrow()
  })

  it.each([
    ['8388608', /box would lock 4 GiB of memory, and this process may lock only 8 MiB/],
    ['4294967296', /may lock only 4 GiB/],
  ])('of %s bytes is too little without CAP_IPC_LOCK', (soft, words) => {
    capabilities(withoutLock)
    limits(soft)
    expect(check(true)).toThrow(words)
    expect(check(true, ', hugepages: true')).toThrow(words)
  })

  it.each(['unlimited', '4362076160'])('of %s is enough', (soft) => {
    capabilities(withoutLock)
    limits(soft)
    expect(check(true)).not.toThrow()
  })

  it('is none of a VM without devices, and nothing is claimed where nothing can be read', () => {
    expect(check(true)).not.toThrow()
    capabilities(withoutLock)
    limits('8388608')
    expect(check(false)).not.toThrow()
  })
})

describe('memory of the control group', () => {
  it.each([
    ['of its own', '/system.slice/handover.service'],
    ['of one above', '/system.slice'],
  ])('%s is told when it is too small', (_, group) => {
    memoryMax('/system.slice/handover.service', 'max')
    memoryMax(group, '4294967296')
    expect(check(false)).toThrow(
      `the control group ${group} may use only 4 GiB: the kernel would kill the VM`,
    )
    expect(check(false, ', hugepages: true')).not.toThrow()
  })

  it('that has no limit, or a large one, is enough', () => {
    memoryMax('/system.slice/handover.service', 'max')
    memoryMax('/system.slice', '8589934592')
    expect(check(false)).not.toThrow()
  })
})
