/**
 * What the kernel, VFIO and QEMU refused before, pasted beside a listing: it counts for what it names, and
 * only there.
 */
import { describe, expect, test } from 'vitest'
import { judgeHost } from '../../../../src/judge/judge.ts'
import { readText } from './reading.ts'

const listing = `IOMMU group 21 06:00.0 Ethernet controller [0200]: Acme Gigabit [1aaa:0021] (rev 01)
	Kernel driver in use: vfio-pci
IOMMU group 22 07:00.0 Ethernet controller [0200]: Acme Ten Gigabit [1aaa:0022] (rev 01)
	Kernel driver in use: vfio-pci
IOMMU group 23 08:00.0 USB controller [0c03]: Acme USB [1aaa:0023]
	Kernel driver in use: vfio-pci
IOMMU group 23 08:00.1 Serial bus controller [0c80]: Acme USB management [1aaa:0024]
	Kernel driver in use: vfio-pci
`

const judged = (text: string): Record<string, string> => {
  const { devices } = judgeHost(readText(text))
  return Object.fromEntries(
    devices.map(({ address, verdict, reasons }) => [
      address.slice(5),
      [verdict, ...reasons.map(({ code }) => code).filter((code) => code !== 'group-shared')].join(' '),
    ]),
  )
}

const plain = judged(listing)

describe('a refusal pasted beside a listing', () => {
  test('nothing speaks against these without one', () => {
    expect(plain).toMatchObject({ '06:00.0': 'ready', '07:00.0': 'ready' })
  })

  test.each<[string, string, Record<string, string>]>([
    [
      'reserved memory, before 6.6',
      '[  77.1] vfio-pci 0000:06:00.0: DMAR: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.  Contact your platform vendor.',
      { '06:00.0': 'refused reserved-region' },
    ],
    [
      'reserved memory, since 6.6',
      'Mar 03 11:12:13 tower kernel: vfio-pci 0000:07:00.0: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping. Contact your platform vendor.',
      { '07:00.0': 'refused reserved-region' },
    ],
    [
      'an identity map',
      'pci 0000:06:00.0: DMAR: Setting identity map [0x7bd00000 - 0x7bdfffff]',
      { '06:00.0': 'refused reserved-region' },
    ],
    [
      'an identity map, before 5.3',
      'DMAR: Setting identity map for device 0000:07:00.0 [0x7bd00000 - 0x7bdfffff]',
      { '07:00.0': 'refused reserved-region' },
    ],
    [
      'the identity map of a USB controller, which the kernel lets off, with its whole group',
      'DMAR: Setting identity map for device 0000:08:00.0 [0x7bd00000 - 0x7bdfffff]',
      {},
    ],
    [
      'hardware identity mapping, which is iommu=pt',
      'DMAR: Hardware identity mapping for device 0000:06:00.0',
      {},
    ],
    [
      'the list of vfio-pci',
      'vfio-pci 0000:06:00.0: 1aaa:0021 exists in vfio-pci device denylist, driver probing disallowed.',
      { '06:00.0': 'refused driver-denied' },
    ],
    [
      'the list of vfio-pci, switched off',
      'vfio-pci 0000:06:00.0: device denylist disabled - allowing device 1aaa:0021.',
      {},
    ],
    [
      'a group that is not viable',
      'qemu-system-x86_64: -device vfio-pci,host=07:00.0: vfio 0000:07:00.0: group 22 is not viable',
      { '07:00.0': 'unknown group-not-viable' },
    ],
    [
      'a group that is not viable, in older words',
      'vfio: error, group 22 is not viable, please ensure all devices within the iommu_group are bound',
      { '07:00.0': 'unknown group-not-viable' },
    ],
    [
      'no reset',
      'kvm: vfio: Cannot reset device 0000:06:00.0, no available reset mechanism.',
      { '06:00.0': 'caution no-reset' },
    ],
    [
      'a reset that needs another group',
      'kvm: vfio: Cannot reset device 0000:06:00.0, depends on group 40 which is not owned.',
      { '06:00.0': 'caution no-reset' },
    ],
    [
      'a function that did not come back',
      'vfio-pci 0000:06:00.0: not ready 65535ms after FLR; giving up',
      { '06:00.0': 'caution reset-bug' },
    ],
    ['a function that is waited for', 'vfio-pci 0000:06:00.0: not ready 1023ms after FLR; waiting', {}],
    [
      'a function that could not be woken',
      'vfio-pci 0000:07:00.0: Unable to change power state from D3cold to D0, device inaccessible',
      { '07:00.0': 'caution reset-bug' },
    ],
    [
      'a group that another VM holds',
      'vfio: error opening /dev/vfio/22: Device or resource busy',
      { '07:00.0': 'unknown vm-running' },
    ],
    [
      'memory that the host holds',
      "vfio-pci 0000:06:00.0: BAR 1: can't reserve [mem 0xd0000000-0xdfffffff 64bit pref]",
      { '06:00.0': 'caution host-use' },
    ],
    [
      'words that do not say why',
      'kvm: -device vfio-pci,host=0000:07:00.0: vfio 0000:07:00.0: failed to setup container for group 22: Failed to set iommu for container: Operation not permitted',
      { '07:00.0': 'unknown input-incomplete' },
    ],
    [
      'a probe that failed',
      'vfio-pci 0000:07:00.0: probe with driver vfio-pci failed with error -22',
      { '07:00.0': 'unknown input-incomplete' },
    ],
  ])('%s', (_, line, changed) => {
    expect(judged(`${listing}${line}\n`)).toEqual({ ...plain, ...changed })
    expect(judged(`${line}\n${listing}`)).toEqual({ ...plain, ...changed })
  })

  test('reserved memory of one function refuses what shares its group', () => {
    const line =
      'vfio-pci 0000:08:00.1: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping.'
    expect(judged(`${listing}${line}\n`)).toEqual({
      ...plain,
      '08:00.0': 'refused reserved-region',
      '08:00.1': 'refused reserved-region',
    })
  })

  test('names a function that nothing else lists, with its ids', () => {
    const line =
      'vfio-pci 0000:0a:00.0: 1aaa:00aa exists in vfio-pci device denylist, driver probing disallowed.\n'
    expect(judged(listing + line)['0a:00.0']).toMatch(/^refused .*driver-denied/)
    expect(readText(listing + line).devices.at(-1)).toMatchObject({ vendorId: '1aaa', deviceId: '00aa' })
  })

  test('no permission is not told twice where its reason is there', () => {
    const denied = 'vfio 0000:06:00.0: failed to setup container for group 21: Operation not permitted\n'
    const reason =
      'vfio-pci 0000:06:00.0: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.\n'
    expect(judged(listing + denied + reason)['06:00.0']).toBe('refused reserved-region')
  })

  test('interrupts that are not remapped concern every function', () => {
    const line =
      'vfio_iommu_type1_attach_group: No interrupt remapping support.  Use the module param "allow_unsafe_interrupts" to enable VFIO IOMMU support on this platform\n'
    const all = judged(listing + line)
    expect(all).toMatchObject({
      '06:00.0': 'caution no-interrupt-remapping',
      '07:00.0': 'caution no-interrupt-remapping',
    })
    const firmware =
      'DMAR-IR: [Firmware Bug]: ioapic 4 has no mapping iommu, interrupt remapping will be disabled\n'
    expect(judged(listing + firmware)).toEqual(all)
  })

  test('the identity map of a function whose class is not known is open', () => {
    const lines =
      'pci 0000:09:00.0: DMAR: Setting identity map [0x1000 - 0x1fff]\npci 0000:09:00.0: Adding to iommu group 5\n'
    expect(judged(lines)['09:00.0']).toBe('unknown reserved-region input-incomplete')
  })

  test('a patched kernel that looks away leaves nothing plainly ready but USB, screens and the ISA bridge', () => {
    const line =
      'DMAR: Intel-IOMMU: assuming all RMRRs are relaxable. This can lead to instability or data loss\n'
    const cmdline = 'Command line: root=/dev/vda2 ro intel_iommu=on,relax_rmrr\n'
    for (const text of [line, cmdline])
      expect(judged(listing + text)).toMatchObject({
        '06:00.0': 'caution reserved-region',
        '08:00.0': plain['08:00.0'],
      })
  })
})
