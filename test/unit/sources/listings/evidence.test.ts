/**
 * What a listing states is used, and what it does not state is not made up: screens, Xen, virtual functions,
 * users.
 */
import { describe, expect, test } from 'vitest'
import { findJudgement, judgeHost } from '../../../../src/judge/judge.ts'
import { isKnownToBeEmpty, treeOf } from '../../../../src/judge/tree.ts'
import { plan } from '../../../../src/plan/plan.ts'
import { parseSpec } from '../../../../src/spec/parse-spec.ts'
import { at } from '../../../support/host-builder.ts'
import { deviceOf, readText } from './reading.ts'

const verdictAt = (text: string, address: string) => {
  const judgement = findJudgement(judgeHost(readText(text)), at(address))
  return [judgement?.verdict, ...(judgement?.reasons ?? []).map(({ code }) => code)].join(' ')
}

describe('the boot display of a kernel log', () => {
  const screens = `pci 0000:00:02.0: [1aaa:0002] type 00 class 0x030000
pci 0000:03:00.0: [1bbb:0003] type 00 class 0x030000
pci 0000:00:02.0: Adding to iommu group 1
pci 0000:03:00.0: Adding to iommu group 9
`
  test.each([
    ['in the words of today', 'pci 0000:03:00.0: vgaarb: setting as boot VGA device\n'],
    ['in older words', 'pci 0000:03:00.0: vgaarb: setting as boot device\n'],
    ['before 4.10', 'vgaarb: setting as boot device: PCI:0000:03:00.0\n'],
    [
      'overriding another',
      'pci 0000:00:02.0: vgaarb: setting as boot VGA device\npci 0000:03:00.0: vgaarb: setting as boot VGA device (overriding previous)\n',
    ],
  ])('%s', (_, line) => {
    for (const text of [screens + line, line + screens]) {
      const host = readText(text)
      expect(host.needs.map(({ kind, device }) => `${kind} ${device}`)).toEqual(['display 0000:03:00.0'])
      expect(deviceOf(host, '0000:00:02.0').bootVga).toBe(false)
      expect(verdictAt(text, '03:00.0')).toMatch(/^refused.* boot-display/)
      expect(verdictAt(text, '00:02.0')).not.toContain('boot-display')
    }
  })

  test('is not known where the log does not name it', () => {
    expect(readText(screens).needs).toEqual([])
    expect(verdictAt(screens, '03:00.0')).toMatch(/^unknown/)
  })
})

describe('the text console of a kernel log', () => {
  const line = '[    2.2] acme 0000:03:00.0: [drm] fb0: acmedrmfb frame buffer device\n'
  const group =
    'pci 0000:03:00.0: [1bbb:0003] type 00 class 0x038000\npci 0000:03:00.0: Adding to iommu group 9\n'
  const needs = (text: string) => readText(text).needs.map(({ kind, device }) => `${kind} ${device}`)
  test('is on the function that draws fb0', () => {
    expect(needs(group + line)).toEqual(['console 0000:03:00.0'])
    expect(verdictAt(line + group, '03:00.0')).toMatch(/^refused.* host-console/)
  })
  test('but not where the console is elsewhere, or VFIO has the function by now', () => {
    expect(needs(`${group}${line}Command line: ro console=ttyS0,115200\n`)).toEqual([])
    expect(needs(`${group}${line}Command line: ro console=ttyS0 console=tty0\n`)).toHaveLength(1)
    expect(
      needs(
        `${group}${line}03:00.0 Display controller [0380]: Acme [1bbb:0003]\n\tKernel driver in use: vfio-pci\n`,
      ),
    ).toEqual([])
  })
})

describe('Xen', () => {
  const listing = '03:00.0 Ethernet controller [0200]: Acme NIC [1aaa:0003]\n\tKernel driver in use: DRIVER\n'
  const host = (driver: string, more: string) => readText(listing.replace('DRIVER', driver) + more)
  test.each([
    ['its control domain, by its driver', 'pciback', '', 'absent', undefined],
    [
      'its control domain, by its log',
      'igb',
      'Hypervisor detected: Xen PV\nXen version: 4.17.2\n',
      'absent',
      undefined,
    ],
    ['its control domain, by its tool', 'igb', 'box:~# xl pci-assignable-list\n', 'absent', undefined],
    ['a full guest', 'xen-netfront', '[ 0.0] Hypervisor detected: Xen HVM\n', 'unknown', true],
  ])('%s', (_, driver, more, state, isGuest) => {
    const { hypervisor, cpu, iommu } = host(driver, more)
    expect([hypervisor, cpu.isGuest, iommu.state]).toEqual(['xen', isGuest, state])
  })

  test('and the machine it is on is no virtual machine', () => {
    const [finding] = judgeHost(host('pciback', '')).findings
    expect(finding).toMatchObject({ code: 'iommu-absent', message: 'Xen owns the IOMMU of this machine' })
  })

  test('a guest of another hypervisor is one', () => {
    const { hypervisor, cpu } = host('virtio-pci', '[ 0.0] Hypervisor detected: KVM\n')
    expect([hypervisor, cpu.isGuest]).toEqual([undefined, true])
  })
})

describe('who uses a function that a driver of the host holds is open, whatever it is', () => {
  const one = (code: string, driver: string) =>
    verdictAt(
      `IOMMU group 4 05:00.0 Device [${code}]: Acme [1aaa:0005]\n\tKernel driver in use: ${driver}\n`,
      '05:00.0',
    )
  test.each(['0c04', '0c06', '0c00', '0700', '0702', '0207', '0d80', '0805', 'ff00', '0101'])(
    '%s',
    (code) => {
      expect(one(code, 'acme')).toMatch(/^unknown .*input-incomplete/)
      expect(one(code, 'vfio-pci')).not.toMatch(/input-incomplete/)
      expect(one(code, 'acme-vfio-pci')).not.toMatch(/input-incomplete/)
    },
  )
  test.each(['0401', '0403', '1200', '1000'])('but for %s, which carries nothing vital', (code) => {
    expect(one(code, 'acme')).toBe('ready')
  })
})

describe('virtual functions of lspci -vvv', () => {
  const card = (vfs: readonly number[]) => `04:00.0 Ethernet controller [0200]: Acme NIC [1aaa:0040]
	Control: I/O- Mem+ BusMaster+
	IOMMU group: 7
	Capabilities: [a0] Express (v2) Endpoint, MSI 00
	Capabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)
		Initial VFs: 8, Total VFs: 8, Number of VFs: 3, Function Dependency Link: 00
		VF offset: 130, stride: 2, Device ID: 0041
	Kernel driver in use: acme
${vfs
  .map(
    (n) => `
04:10.${2 + 2 * n} Ethernet controller [0200]: Acme VF [1aaa:0041]
	Control: I/O- Mem- BusMaster-
	IOMMU group: ${20 + n}
	Kernel driver in use: vfio-pci
`,
  )
  .join('')}`
  const spec = (number: number) =>
    `version: 1\nhost: { virtual-functions: { lan: { physical-function: { address: '04:00.0' }, count: 3 } } }\nvms: { a: { memory: 1 GiB, devices: { p: { virtual-function: lan, number: ${number} } } } }\n`
  const given = (text: string, number: number) => {
    const parsed = parseSpec(spec(number), 'home.yaml')
    return parsed.spec && plan(readText(text), parsed.spec).assignments.map(({ address }) => address)
  }

  test('are those of the card that states them, by number, also where one is not listed', () => {
    expect(deviceOf(readText(card([0, 1, 2])), '0000:04:10.4').physFn).toBe('0000:04:00.0')
    expect(given(card([0, 1, 2]), 1)).toEqual(['0000:04:10.4'])
    expect(given(card([1, 2]), 1)).toEqual(['0000:04:10.4'])
    expect(given(card([1, 2]), 0)).toEqual([])
  })

  test('are not denied to a card of which nothing is said', () => {
    const why = (text: string) => {
      const parsed = parseSpec(spec(0), 'home.yaml')
      return (
        parsed.spec &&
        plan(readText(text), parsed.spec).findings.find((f) => f.code === 'virtual-functions')?.message
      )
    }
    const [head = '', ...rest] = card([]).split('\n')
    expect(why(`${head}\n\tKernel driver in use: acme\n`)).toContain('the input does not say whether')
    expect(why([head, ...rest.filter((line) => !/VFs|VF offset/.test(line))].join('\n'))).toContain(
      'does not say',
    )
    const without = rest
      .filter((line) => !/VF/.test(line))
      .join('\n')
      .replace('Single Root I/O Virtualization (SR-IOV)', 'Advanced Error Reporting')
    expect(why(`${head}\n${without}`)).toContain('has no SR-IOV')
  })
})

test('a port is empty only where the bus it leads to is known', () => {
  const ports = (more: string) => {
    const { buses } = treeOf(readText(`00:1c.0 PCI bridge [0604]: Acme Port [1aaa:1c00]\n${more}`).devices)
    return buses.flatMap((bus) => bus.ports.map(isKnownToBeEmpty))
  }
  expect(ports('')).toEqual([false])
  expect(
    ports('\tFlags: bus master\n\tBus: primary=00, secondary=05, subordinate=05, sec-latency=0\n'),
  ).toEqual([true])
})
