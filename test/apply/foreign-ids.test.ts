/** Ids that others gave to vfio-pci, taken out on request and put back, in a temporary tree; the generator is a stand-in. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { readHost } from '../../src/host/read-host.ts'
import { removeForeignIds } from '../../src/plan/foreign-ids.ts'
import { planBoot } from '../../src/plan/plan-boot.ts'
import { linuxSystem } from '../../src/system/linux.ts'
import { identityOf, put } from '../support/fake-kernel.ts'
import { kernel, loaderTree } from '../support/loader-host.ts'
import { differences, snapshotTree, type TreeEntry } from '../support/snapshot-tree.ts'
import { fakePrograms, nic, planOf, unplanned } from '../support/transactions.ts'

const options = '/etc/modprobe.d/vfio.conf'
const modules = '/etc/initramfs-tools/modules'
const image = `/boot/initrd.img-${kernel}`

let root = ''
let programs: ReturnType<typeof fakePrograms>
let before = new Map<string, TreeEntry>()
const ours = ['/var/lib/handover', '/run', '/proc', '/bin-fake', '/dev', '/sys/bus', '/sys/devices', '/sys/kernel']
const changed = () => differences(before, snapshotTree(root, ours))
const system = () => linuxSystem({ root })
const read = (path: string) => fs.readFileSync(join(root, path), 'utf8')
const planned = (identities = [identityOf(nic)]) => {
  const host = readHost(system())
  return planBoot(host, { identities, trial: false, edits: removeForeignIds(host).edits })
}

beforeEach(() => {
  root = loaderTree(['/usr/sbin/update-initramfs'], ['/etc/initramfs-tools'], 'quiet intel_iommu=on')
  put(root, '/sys/kernel/iommu_groups/1/type', 'DMA\n')
  put(root, options, '# mine\noptions vfio-pci ids=8086:10d3 disable_vga=1\n', 0o640)
  put(root, modules, '# first\nvfio-pci ids=8086:10d3\n')
  put(root, image, 'with the old ids')
  programs = fakePrograms(root, {
    'update-initramfs': `cat "$R${options}" "$R${modules}" "$R"/etc/handover/bindings > "$R${image}" 2>/dev/null || :`,
  })
  before = snapshotTree(root, ours)
})
afterEach(() => programs.end())

describe('foreign ids', () => {
  it('go with what takes their place, by one run of the generator, and come back to the byte', async () => {
    const plan = planned()
    expect(plan.needsReboot).toBe(true)
    expect(plan.steps.filter(({ kind }) => kind === 'command')).toHaveLength(1)
    expect(await apply(planOf(plan.steps), system())).toMatchObject({ outcome: 'applied' })
    expect(unplanned(changed(), plan.steps)).toEqual([])
    expect(read(options)).toBe('# mine\noptions vfio-pci disable_vga=1\n')
    expect(read(modules)).toBe('# first\nvfio-pci\n')
    expect(read(image)).not.toContain('ids=')
    expect(read(image)).toContain('0000:00/1c.0/00.0 8086 10d3')
    expect(planned().steps).toEqual([])
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('go although nothing is given to anybody, and the initramfs is made again', async () => {
    const plan = planned([])
    expect(await apply(planOf(plan.steps), system())).toMatchObject({ outcome: 'applied' })
    expect(read(image)).toBe('# mine\noptions vfio-pci disable_vga=1\n# first\nvfio-pci\n')
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('stay in a file whose bytes could not be written back', () => {
    fs.writeFileSync(join(root, options), Buffer.from('# \xff\noptions vfio-pci ids=8086:10d3\n', 'latin1'))
    const paths = removeForeignIds(readHost(system())).edits.map((step) => step.kind === 'file' && step.path)
    expect(paths).toEqual([modules])
  })
})
