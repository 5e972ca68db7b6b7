/**
 * Prompts and commands in a paste: an empty list of all groups says that there are none; a filtered one says
 * nothing.
 */
import { describe, expect, it } from 'vitest'
import { judgeHost } from '../../../../src/judge/judge.ts'
import { readText } from './reading.ts'

const card = '03:00.0 Ethernet controller [0200]: Acme Port [1aaa:0200]\n\tKernel driver in use: vfio-pci\n'
const find = 'root@box:~# find /sys/kernel/iommu_groups/ -type l\n'
const table = '[    0.0] ACPI: DMAR 0x000000007A2A0000 000088 (v02 ACME   BOARD    00000002      01000013)\n'
const groupOf = (text: string) => readText(text).devices[0]?.iommuGroup
const codes = (text: string) => judgeHost(readText(text)).findings.map(({ code }) => code)

describe('a whole list of the groups with nothing in it', () => {
  it.each([
    ['find', `${find}root@box:~# lspci -nnk\n${card}`],
    ['find, counted', `${find.replace('-type l', '-type l | wc -l')}0\nroot@box:~# lspci -nnk\n${card}`],
    ['find, sorted', `${find.replace('-type l', '-type l | sort -V')}root@box:~# lspci -nnk\n${card}`],
    ['ls', `root@box:~# ls /sys/kernel/iommu_groups\nroot@box:~# lspci -nnk\n${card}`],
    ['ls -l', `root@box:~# ls -l /sys/kernel/iommu_groups/\ntotal 0\nroot@box:~# lspci -nnk\n${card}`],
    [
      'a folder that is not there',
      `${find}find: ‘/sys/kernel/iommu_groups/’: No such file or directory\n$ lspci -nnk\n${card}`,
    ],
    ['a loop over names that are not there', `$ ./groups.sh\nIOMMU Group * \n$ lspci -nnk\n${card}`],
  ])('%s', (_, text) => {
    const host = readText(text)
    expect(host.iommu.state).toBe('off')
    expect(groupOf(text)).toBe(null)
    expect(codes(text)).toEqual(['iommu-off'])
    expect(JSON.stringify(judgeHost(host))).not.toContain('output of: find')
    expect(host.findings.map(({ message }) => message)).not.toContain('the input states no IOMMU groups')
  })
  it('names the table of the firmware only where the input has it', () => {
    const help = (text: string) => judgeHost(readText(text)).findings[0]?.message
    expect(help(`${find}$ lspci -nnk\n${card}`)).toContain('does not say whether the firmware offers')
    expect(help(`${table}${find}$ lspci -nnk\n${card}`)).toContain('ACPI table DMAR')
  })
})

it('a list with members on other buses only leaves the PCI functions without a group', () => {
  const text = `$ lspci -nnk\n${card}$ sudo find /sys/kernel/iommu_groups/ -type l\n/sys/kernel/iommu_groups/0/devices/fd880000.pcie\n`
  expect(groupOf(text)).toBe(null)
  expect(readText(text).iommu.state).toBe('on')
})

describe('says nothing of a group', () => {
  it.each([
    ['filtered', `${find.replace('-type l', '-type l | grep 0000:07')}root@box:~# lspci -nnk\n${card}`],
    ['with a name', `${find.replace('-type l', "-type l -name '*07*'")}root@box:~# lspci -nnk\n${card}`],
    ['at the end of the paste', `$ lspci -nnk\n${card}${find}`],
    ['with an error', `${find}find: Permission denied\nroot@box:~# lspci -nnk\n${card}`],
    ['with one group, by ls', `root@box:~# ls /sys/kernel/iommu_groups\n0\nroot@box:~# lspci -nnk\n${card}`],
    ['of one group', `root@box:~# ls /sys/kernel/iommu_groups/3/devices\nroot@box:~# lspci -nnk\n${card}`],
  ])('%s', (_, text) => {
    expect(groupOf(text)).toBeUndefined()
    expect(readText(text).iommu.state).toBe('unknown')
  })
})
