/**
 * Two listings in one paste: of one machine the later counts, of two machines nothing is decided and nothing
 * is mixed.
 */
import { describe, expect, it } from 'vitest'
import { judgeHost } from '../../../../src/judge/judge.ts'
import type { Host } from '../../../../src/host/host.ts'
import { deviceOf, groupsOf, readText } from './reading.ts'

const drive = '04:00.0 Non-Volatile memory controller: Acme Fast SSD (rev 01)\n'
const screen = '04:00.0 VGA compatible controller: Bolt BX1 (rev a1)\n'
const find = '/sys/kernel/iommu_groups/9/devices/0000:04:00.0\n'
const verdicts = (host: Host) => [...new Set(judgeHost(host).devices.map(({ verdict }) => verdict))]

describe('two machines', () => {
  it.each([
    ['another class', `${drive}\n${find}\n${screen}`, 'Acme Fast SSD and as Bolt BX1'],
    ['another name', `${screen}\n${find}\n${screen.replace('BX1', 'BX2')}`, 'Bolt BX1 and as Bolt BX2'],
    [
      'other ids',
      `04:00.0 0300: 1bbb:1401\n${find}04:00.0 0300: 1bbb:1402\n\tKernel driver in use: vfio-pci\n`,
      '1bbb:1401 and as 1bbb:1402',
    ],
    [
      'a log and a listing',
      `[    0.3] pci 0000:04:00.0: [1aaa:0001] type 00 class 0x010802\n${find}04:00.0 0300: 1bbb:1402\n`,
      '1aaa:0001 and as 1bbb:1402',
    ],
    [
      'a line of -mm',
      `${drive}${find}04:00.0 "VGA compatible controller" "Bolt" "BX1" -ra1\n`,
      'Acme Fast SSD and as Bolt BX1',
    ],
  ])('%s at an address', (_, text, words) => {
    const host = readText(text)
    expect(host.twoMachines).toBe(`0000:04:00.0 is listed as ${words}`)
    expect(host.findings.filter(({ code }) => code === 'two-machines')).toHaveLength(1)
    // The group was the other machine's.
    expect(deviceOf(host, '0000:04:00.0').iommuGroup).toBeUndefined()
    expect(verdicts(host)).toEqual(['unknown'])
  })

  it('prompts with two host names, though no function is in both', () => {
    const host = readText(
      `anna@garage:~$ lspci -nn\n03:00.0 0200: 1aaa:0200\n[root@attic ~]# find /sys/kernel/iommu_groups -type l\n${find}`,
    )
    expect(host.twoMachines).toBe('its prompts name garage and attic')
    expect(verdicts(host)).toEqual(['unknown'])
  })

  it('logs of two boards', () => {
    const log = (board: string) => `[    0.0] DMI: ${board}, BIOS 1.0 01/02/2031\n${find}`
    expect(readText(log('Acme A1') + log('Bolt B2')).twoMachines).toContain('Acme A1')
    expect(readText(log('Acme A1') + log('Acme A1').replace('1.0', '2.0')).twoMachines).toBeUndefined()
  })

  it('are told apart in records of -vmm', () => {
    const record = (id: string) =>
      `Slot:\t04:00.0\nClass:\tVGA [0300]\nVendor:\tBolt [1bbb]\nDevice:\tBX1 [${id}]\n\n`
    expect(readText(record('1401') + record('1402')).twoMachines).toContain('0000:04:00.0')
    expect(readText(record('1401') + record('1401')).twoMachines).toBeUndefined()
  })
})

describe('one machine', () => {
  it.each([
    [
      'the maker left out',
      `${screen}Group 3:\t[1bbb:1401]     04:00.0  VGA compatible controller      BX1\n`,
    ],
    ['a name that a list of names did not know yet', `${screen}\n${screen.replace('BX1', 'Device 1401')}`],
    ['ids in one of them', `${screen}\n04:00.0 0300: 1bbb:1401\n`],
    [
      'two people at one host',
      `anna@box:~$ lspci\n${screen}root@box:~# find /sys/kernel/iommu_groups -type l\n${find}`,
    ],
    ['a prompt of another host above nothing', `me@desk:~$ ssh root@box\nroot@box:~# lspci\n${screen}`],
    ['words of a person behind a bare address', `IOMMU Group 9:\n\t04:00.0 (my new card)\n\n${screen}`],
    [
      'one host with and without its domain',
      `root@box:~# lspci\n${screen}root@box.example:~# lspci\n${screen}`,
    ],
    [
      'mail addresses',
      `On Monday anna@desk.example wrote: > see # 4\n${screen}bob@box.example wrote: > no\n${find}`,
    ],
  ])('with %s', (_, text) => expect(readText(text).twoMachines).toBeUndefined())

  it('later groups under headings count, for every member', () => {
    const card = '04:00.1 Audio device: Bolt Sound\n'
    const host = readText(
      `IOMMU Group 7:\n\t${screen}\t${card}\nIOMMU Group 12:\n\t${screen}IOMMU Group 13:\n\t${card}`,
    )
    expect(groupsOf(host)).toEqual({ 12: '04:00.0', 13: '04:00.1' })
  })

  it('a list without groups below the last heading changes none', () => {
    const host = readText(
      `IOMMU Group 7:\n\t03:00.0 0200: 1aaa:0200\nIOMMU Group 9:\n\t${screen}\n00:17.0 0106: 1aaa:0106\n${screen}`,
    )
    expect(groupsOf(host)).toEqual({ 7: '03:00.0', 9: '04:00.0' })
  })
})
