/** A listing pasted in many ways states the same; test/corpus/pasted.test.ts does this with real machines. */
import { describe, expect, it } from 'vitest'
import { readHostFrom } from '../../../../src/sources/listings/read-from.ts'
import { bytesOf, pastes, statedBy } from '../../../support/pasted.ts'
import { importSystem } from './reading.ts'

const script = `IOMMU Group 1:
\t00:1c.0 PCI bridge [0604]: Intel Corporation Device [8086:a110] (rev f1)
IOMMU Group 12:
\t01:00.0 Ethernet controller [0200]: Intel Corporation Device [8086:1521] (rev 01)
\t01:00.1 Ethernet controller [0200]: Intel Corporation Device [8086:1521] (rev 01)
`
const kernel = `00:1c.0 PCI bridge [0604]: Intel Corporation Device [8086:a110] (rev f1)
\tKernel driver in use: pcieport
01:00.0 Ethernet controller [0200]: Intel Corporation Device [8086:1521] (rev 01)
\tSubsystem: Intel Corporation Device [8086:00a1]
\tKernel driver in use: igb
\tKernel modules: igb, igbvf
02:00.0 VGA compatible controller [0300]: Vendor Device [10de:1b80] (rev a1)
\tKernel modules: nouveau, nvidia
`
const verbose = `01:00.0 Ethernet controller: Intel Corporation I350 Gigabit Network Connection (rev 01)
\tFlags: bus master, fast devsel, latency 0, IRQ 16, IOMMU group 12
\tMemory at df200000 (32-bit, non-prefetchable) [size=1M]
\tMemory at df304000 (32-bit, non-prefetchable) [size=16K]
\tCapabilities: [40] Power Management version 3
\tKernel driver in use: igb

`

function read(bytes: Uint8Array) {
  const reading = readHostFrom({ name: 'paste', bytes }, importSystem)
  if (!reading.ok) throw reading.error
  return statedBy(reading.host)
}

describe.each([
  ['groups by a script', script],
  ['lspci -nnk', kernel],
  ['lspci -v without ids', verbose],
])('%s', (_, text) => {
  const asIs = read(bytesOf(text))
  it.each(Object.keys(pastes))('%s', (name) => {
    expect(read(bytesOf(pastes[name]?.(text) ?? ''))).toEqual(asIs)
  })
  it('UTF-16, as Windows terminals save', () => expect(read(bytesOf(text, 'utf16'))).toEqual(asIs))
})

it('groups named in other languages are groups', () => {
  for (const words of ['Gruppe 12', 'IOMMU-Gruppe 12', 'Groupe IOMMU 12', 'Grupo 12', 'Gruppo IOMMU 12:'])
    expect(read(bytesOf(`${words}\n\t01:00.0 0200: 8086:1521\n`)).groups).toEqual([
      { id: 12, devices: ['0000:01:00.0'] },
    ])
})

it('numbers before each function are groups, however well they count', () => {
  const lines = [
    '00:1c.0 0604: 8086:a110',
    '01:00.0 0200: 8086:1521',
    '01:00.1 0200: 8086:1521',
    '02:00.0 0300: 10de:1b80',
  ]
  const text = lines.map((line, index) => `${index * 2 + 1} ${line}\n`).join('')
  expect(read(bytesOf(text)).groups.map(({ id }) => id)).toEqual([1, 3, 5, 7])
})

it('documents are read with the marks of copying', () => {
  const rows = ['08', '09'].map(
    (bus) =>
      `  {"class":"0x020000","device":"0x15f2","id":"0000:${bus}:00.0","iommugroup":2${bus},"vendor":"0x8086"}`,
  )
  const text = `[\n${rows.join(',\n')}\n]\n`
  const asIs = read(bytesOf(text))
  expect(asIs.groups).toHaveLength(2)
  for (const name of [
    'quoted in a mail',
    'colours of a terminal',
    'hard blanks of a web page',
    'quoted by a bar',
  ])
    expect(read(bytesOf(pastes[name]?.(text) ?? ''))).toEqual(asIs)
})

it('a command line that is quoted is one', () => {
  const text = 'GRUB_CMDLINE_LINUX="quiet pcie_acs_override=downstream"\n01:00.0 0200: 8086:1521\n'
  const reading = readHostFrom(
    { name: 'paste', bytes: bytesOf(`Mine:\n${text.replace(/^/gm, '> ')}`) },
    importSystem,
  )
  expect(reading.ok && JSON.stringify(reading.host)).toContain('pcie_acs_override')
  const running = bytesOf('Mine:\n> $ cat /proc/cmdline\n> quiet initrd=/i\n> 01:00.0 0200: 8086:1521\n')
  const shown = readHostFrom({ name: 'paste', bytes: running }, importSystem)
  expect(shown.ok && shown.host.kernel.cmdline).toBe('quiet initrd=/i')
})
