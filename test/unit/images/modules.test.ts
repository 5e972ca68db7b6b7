import { describe, expect, it } from 'vitest'
import { loadOrder, moduleName } from '../../../src/images/modules.ts'

const dep = `kernel/a/leaf.ko:
kernel/a/middle.ko: kernel/a/leaf.ko
kernel/b/vfio-pci.ko: kernel/b/vfio-pci-core.ko kernel/b/vfio.ko
kernel/b/vfio-pci-core.ko: kernel/b/vfio.ko
kernel/b/vfio.ko:
`

describe('the order kernel modules are loaded in', () => {
  it('puts dependencies first and names nothing twice', () =>
    expect(loadOrder(dep, ['vfio_pci', 'middle', 'leaf'])).toEqual([
      'kernel/b/vfio.ko',
      'kernel/b/vfio-pci-core.ko',
      'kernel/b/vfio-pci.ko',
      'kernel/a/leaf.ko',
      'kernel/a/middle.ko',
    ]))

  it('leaves out what the kernel has built in', () => expect(loadOrder(dep, ['loop'])).toEqual([]))

  it.each([
    ['kernel/drivers/vfio/pci/vfio-pci.ko.xz', 'vfio_pci'],
    ['vfio_pci', 'vfio_pci'],
  ])('knows %s as %s', (path, name) => expect(moduleName(path)).toBe(name))
})
