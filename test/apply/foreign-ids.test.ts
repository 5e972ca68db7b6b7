/**
 * Ids that others gave to vfio-pci, taken out on request and put back, in a temporary tree; the generator is
 * a stand-in.
 */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { removeForeignIds } from '../../src/plan/changes/foreign-ids.ts'
import { planBoot } from '../../src/plan/changes/plan-boot.ts'
import { identityOf } from '../support/fake-kernel.ts'
import { kernel, loaderHost } from '../support/loader-host.ts'
import { nic, planOf, unplanned } from '../support/transactions.ts'

const options = '/etc/modprobe.d/vfio.conf'
const modules = '/etc/initramfs-tools/modules'
const image = `/boot/initrd.img-${kernel}`

const { at, put, changed, system, host: readIt, read, begin, end, remember } = loaderHost()
const planned = (identities = [identityOf(nic)]) => {
  const host = readIt()
  return planBoot(host, { identities, trial: false, edits: removeForeignIds(host).edits })
}

beforeEach(() => {
  const generators = {
    'update-initramfs': `cat "$R${options}" "$R${modules}" "$R"/etc/handover/bindings > "$R${image}" 2>/dev/null || :`,
  }
  begin(['/usr/sbin/update-initramfs'], ['/etc/initramfs-tools'], {
    cmdline: 'quiet intel_iommu=on',
    generators,
  })
  put('/sys/kernel/iommu_groups/1/type', 'DMA\n')
  put(options, '# mine\noptions vfio-pci ids=8086:10d3 disable_vga=1\n', 0o640)
  put(modules, '# first\nvfio-pci ids=8086:10d3\n')
  put(image, 'with the old ids')
  remember()
})
afterEach(end)

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
    fs.writeFileSync(at(options), Buffer.from('# \xff\noptions vfio-pci ids=8086:10d3\n', 'latin1'))
    const paths = removeForeignIds(readIt()).edits.map((step) => step.kind === 'file' && step.path)
    expect(paths).toEqual([modules])
  })
})
