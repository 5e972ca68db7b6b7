import { describe, expect, it } from 'vitest'
import { onlineWindows } from '../../../src/host/needs/users/cxl-memory.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import type { Host } from '../../../src/host/host.ts'
import { plan } from '../../../src/plan/plan.ts'
import { bootScreen, readTree as read, told } from '../../support/host-needs.ts'
import { captureHost } from '../../../src/sources/capture/capture.ts'
import { parseCapture } from '../../../src/sources/capture/parse-capture.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { pci, tree, type TreeEntries } from '../../support/sysfs-tree.ts'
import { specOf } from '../../support/spec.ts'

const verdictOf = (host: Host, address: string) =>
  judgeHost(host).devices.find((one) => one.address === address)?.verdict

const usb = (slot: string, group: number): TreeEntries =>
  pci({ at: `pci0000:00/0000:00:${slot}.0`, classCode: '0c0330', driver: 'xhci_hcd', group })
const keyboard = (path: string, bus = '0003', name = 'Some Keys') =>
  `I: Bus=${bus} Vendor=1 Product=1 Version=1\nN: Name="${name}"\nS: Sysfs=/devices/${path}\nH: Handlers=sysrq kbd event3\n\n`
const inputs = (...blocks: readonly string[]): TreeEntries => ({ '/proc/bus/input/devices': blocks.join('') })
const behind = (slot: string) => `pci0000:00/0000:00:${slot}.0/usb1/1-1/input/input4`

const screenOnly: TreeEntries = { '/sys/class/tty/console/active': 'tty0\n' }

describe('keyboards', () => {
  const two = [usb('14', 3), usb('1a', 4), inputs(keyboard(behind('14')), keyboard(behind('1a')))]
  const spec = (yaml: string) => {
    return specOf(yaml)
  }
  const errors = (host: Host, yaml: string) =>
    plan(host, spec(yaml), { boot: false }).findings.filter(
      ({ severity, code }) => severity === 'error' && code === 'host-input',
    )
  const vm = (devices: string, host = '') =>
    `version: 1\n${host}vms:\n  a:\n    memory: 1 GiB\n    devices:\n${devices.replaceAll(/^/gm, '      ')}\n`
  const first = "one: { address: '00:14.0' }"
  const second = "two: { address: '00:1a.0' }"

  it('are a set: each alone may go, all of them may not', () => {
    const host = read(...two)
    expect(host.needs.map(({ weight, redundant }) => [weight, redundant?.others])).toEqual([
      ['vital', ['0000:00:1a.0']],
      ['vital', ['0000:00:14.0']],
    ])
    expect(
      judgeHost(host).devices.map(({ reasons }) =>
        reasons.some(({ code, severity }) => code === 'host-input' && severity === 'error'),
      ),
    ).toEqual([false, false])
    expect(errors(host, vm(first))).toEqual([])
    expect(errors(host, vm(`${first}\n${second}`))).toHaveLength(1)
    expect(errors(host, vm(`${first}\n${second}`, 'host: { give-up: [keyboard] }\n'))).toEqual([])
  })

  it('beside a serial console are given up by name when the last of them goes', () => {
    const serial = {
      '/sys/class/tty/console/active': 'ttyS0\n',
      '/sys/class/tty/ttyS0': '-> ../../devices/pnp0/00:01/tty/ttyS0',
    }
    const names = (yaml: string) =>
      plan(read(...two, serial), spec(yaml), { boot: false }).concessions?.map(({ name }) => name)
    expect(names(vm(first))).toBeUndefined()
    expect(names(vm(`${first}\n${second}`))).toEqual(['keyboard', 'keyboard'])
  })

  it('on controllers of one group are no set', () => {
    const host = read(usb('14', 3), usb('1a', 3), inputs(keyboard(behind('14')), keyboard(behind('1a'))))
    expect(
      judgeHost(host).devices.every(({ reasons }) =>
        reasons.some(({ code, severity }) => code === 'host-input' && severity === 'error'),
      ),
    ).toBe(true)
  })

  it('of the board itself stay, and what a program makes up is none', () => {
    const board = read(
      usb('14', 3),
      inputs(keyboard('platform/i8042/serio0/input/input0'), keyboard(behind('14'))),
    )
    expect(board.needs.map(({ weight }) => weight)).toEqual(['spoken-for'])
    const madeUp = read(usb('14', 3), inputs(keyboard('virtual/input/input9'), keyboard(behind('14'))))
    expect(madeUp.needs.map(({ weight }) => weight)).toEqual(['vital'])
  })

  it('by radio hang on the adapter, and on any where there are several', () => {
    const keys = inputs(keyboard('virtual/misc/uhid/0005:1.1/input/input7', '0005'))
    const adapter = (name: string, slot: string): TreeEntries => ({
      [`/sys/class/bluetooth/${name}`]: `-> ../../devices/pci0000:00/0000:00:${slot}.0/usb1/1-9/bluetooth/${name}`,
    })
    const one = read(usb('14', 3), usb('1a', 4), keys, adapter('hci0', '1a'))
    expect(told(one)).toEqual(['keyboard: Some Keys > hci0 > 0000:00:1a.0'])
    const several = read(usb('14', 3), usb('1a', 4), keys, adapter('hci0', '1a'), adapter('hci1', '14'))
    expect(several.lostNeeds).toMatchObject([{ kind: 'input', couldBe: ['0000:00:14.0', '0000:00:1a.0'] }])
  })
})

describe('ways in', () => {
  const gpu = bootScreen
  it.each([
    ['tty0', 'vital'],
    ['tty0 ttynull', 'vital'],
    ['ttynull0 tty0', 'vital'],
    ['tty0 netcon0', 'vital'],
    ['tty0 ttyS1', 'spoken-for'],
    ['hvc0 tty0', 'spoken-for'],
  ])('consoles %s: the screen is %s', (active, weight) => {
    const host = read(gpu, { '/sys/class/tty/console/active': `${active}\n` })
    expect([...new Set(host.needs.map((need) => need.weight))]).toEqual([weight])
  })
})

describe('a framebuffer that the firmware set up', () => {
  const adapter = (
    slot: string,
    group: number,
    classCode: string,
    files: Record<string, string> = {},
  ): TreeEntries =>
    pci({ at: `pci0000:00/0000:00:${slot}.0`, classCode, driver: 'some_driver', group, files })
  const platform: TreeEntries = {
    '/sys/class/graphics/fb0': '-> ../../devices/platform/efi-framebuffer.0/graphics/fb0',
  }

  it('is shown by the only adapter, of whatever class', () => {
    for (const classCode of ['038000', '030000']) {
      const host = read(adapter('02', 1, classCode), platform, screenOnly)
      expect(told(host)).toEqual([
        'framebuffer of the firmware: fb0 > 0000:00:02.0',
        'text console: fb0 > 0000:00:02.0',
      ])
      expect(judgeHost(host).devices[0]?.verdict).toBe('refused')
    }
  })

  it('is shown by the boot display where one is stated, and not by what is known to be another', () => {
    const host = read(
      adapter('02', 1, '038000'),
      adapter('03', 2, '030000', { boot_vga: '1\n' }),
      adapter('04', 3, '030000', { boot_vga: '0\n' }),
      platform,
      screenOnly,
    )
    expect(host.needs.map(({ device }) => device)).toEqual(['0000:00:03.0', '0000:00:03.0'])
    expect(host.lostNeeds).toBeUndefined()
  })

  it('may be shown by each of several, but by no 3D controller', () => {
    const host = read(
      adapter('02', 1, '038000'),
      adapter('03', 2, '038000'),
      adapter('04', 3, '030200'),
      platform,
      screenOnly,
    )
    expect(host.lostNeeds?.map(({ couldBe }) => couldBe)).toEqual([
      ['0000:00:02.0', '0000:00:03.0'],
      ['0000:00:02.0', '0000:00:03.0'],
    ])
  })
})

describe('a text console', () => {
  const terminal: TreeEntries = { '/sys/class/tty/console/active': 'tty0\n' }
  const adapter = (slot: string, group: number, classCode: string): TreeEntries =>
    pci({ at: `pci0000:00/0000:00:${slot}.0`, classCode, driver: 'some_driver', group })

  it('of which only /proc/fb tells, or nothing, may be on any adapter', () => {
    const named = read(adapter('02', 1, '038000'), adapter('03', 2, '038000'), terminal, {
      '/proc/fb': '0 simpledrmdrmfb\n',
    })
    expect(named.lostNeeds).toMatchObject([{ what: 'text console', lost: 'fb0' }])
    const untold = read(adapter('02', 1, '038000'), adapter('03', 2, '030000'), terminal)
    expect(untold.lostNeeds).toMatchObject([{ couldBe: ['0000:00:02.0', '0000:00:03.0'] }])
  })

  it('is drawn on no adapter without VGA where there is no framebuffer', () => {
    const none = { ...terminal, '/sys/class/graphics/fbcon/name': '' }
    expect(read(adapter('02', 1, '038000'), none).needs).toEqual([])
    expect(told(read(adapter('02', 1, '038000'), adapter('03', 2, '030000'), none))).toEqual([
      'text console: 0000:00:03.0',
    ])
  })

  it('lies where /proc/iomem shows the framebuffer', () => {
    const host = read(adapter('02', 1, '038000'), adapter('03', 2, '038000'), terminal, {
      '/sys/class/graphics/fb0': '-> ../../devices/platform/simple-framebuffer.0/graphics/fb0',
      '/proc/iomem': '0-0 : PCI Bus 0000:00\n  0-0 : 0000:00:03.0\n    0-0 : BOOTFB\n',
    })
    expect(told(host)).toEqual([
      'framebuffer of the firmware: BOOTFB > 0000:00:03.0',
      'text console: fb0 > 0000:00:03.0',
    ])
  })
})

describe('a serial console', () => {
  const uart = (slot: string, group: number): TreeEntries =>
    pci({ at: `pci0000:00/0000:00:1e.0/0000:${slot}:00.0`, classCode: '070002', driver: 'serial', group })
  const active = (name: string): TreeEntries => ({ '/sys/class/tty/console/active': `${name}\n` })

  it('of the board has no function, and one that nothing traces may be on any card', () => {
    const board = { '/sys/class/tty/ttyS0': '-> ../../devices/pnp0/00:01/tty/ttyS0' }
    expect(read(uart('07', 3), active('ttyS0'), board).needs).toEqual([])
    expect(read(uart('07', 3), active('ttyS6')).lostNeeds).toMatchObject([
      { lost: 'ttyS6', couldBe: ['0000:07:00.0'] },
    ])
  })

  it('of virtio is traced by its driver', () => {
    const at = 'pci0000:00/0000:00:05.0'
    const console = pci({ at, classCode: '078000', driver: 'virtio-pci', group: 5 })
    const host = read(console, active('hvc0'), {
      '/sys/class/tty/hvc0': '-> ../../devices/virtual/tty/hvc0',
      '/sys/bus/virtio/drivers/virtio_console/virtio2': `-> ../../../../devices/${at}/virtio2`,
    })
    expect(told(host)).toEqual(['serial console: hvc0 > 0000:00:05.0'])
  })
})

describe('memory of CXL cards', () => {
  const card = (slot: string, group: number, name: string): TreeEntries => ({
    ...pci({
      at: `pci0000:00/0000:00:1e.0/0000:${slot}:00.0`,
      classCode: '050210',
      driver: 'cxl_pci',
      group,
    }),
    [`/sys/bus/cxl/devices/${name}`]: `-> ../../../devices/pci0000:00/0000:00:1e.0/0000:${slot}:00.0/${name}`,
  })
  const online =
    '00000000-00000000 : CXL Window 3\n  00000000-00000000 : region1\n    00000000-00000000 : System RAM (kmem)\n'
  const idle =
    '00000000-00000000 : CXL Window 3\n  00000000-00000000 : region1\n00000000-00000000 : System RAM\n'

  it('stays while the kernel uses it', () => {
    const host = read(card('09', 7, 'mem2'), { '/proc/iomem': online })
    expect(told(host)).toEqual(['system memory of the running kernel: CXL Window 3 > mem2 > 0000:09:00.0'])
    expect(verdictOf(host, '0000:09:00.0')).toBe('refused')
    expect(read(card('09', 7, 'mem2'), { '/proc/iomem': idle }).needs).toEqual([])
  })

  it('may lie on any of several cards', () => {
    const host = read(card('09', 7, 'mem0'), card('0a', 8, 'mem1'), { '/proc/iomem': online })
    expect(host.lostNeeds).toMatchObject([
      { lost: 'CXL Window 3', couldBe: ['0000:09:00.0', '0000:0a:00.0'] },
    ])
  })

  it('stays in a capture', () => {
    const second = online.replace('Window 3', 'Window 4')
    const root = tree(card('09', 7, 'mem0'), { '/proc/iomem': `0-0 : Reserved\n${online}${second}` })
    const { text, host } = captureHost(linuxSystem({ root }), 'test')
    const capture = parseCapture(text, 'a capture')
    expect(host.needs).toHaveLength(2)
    expect(capture.ok && told(capture.host)).toEqual(told(host))
    expect(text).not.toContain('Reserved')
  })

  it('is found at any depth of the table', () => {
    expect(onlineWindows(`${online}${idle.replace('3', '4')}`)).toEqual(['CXL Window 3'])
  })
})

describe('functions behind Thunderbolt and USB4', () => {
  const host = (slot: string, group: number): TreeEntries =>
    pci({ at: `pci0000:00/0000:00:${slot}`, classCode: '0c0340', driver: 'thunderbolt', group })
  const router = (slot: string, domain: number, authorized = '1'): TreeEntries => ({
    [`/sys/devices/pci0000:00/0000:00:${slot}/domain${domain}/${domain}-0/${domain}-1/authorized`]: `${authorized}\n`,
    [`/sys/bus/thunderbolt/devices/${domain}-1`]: `-> ../../../devices/pci0000:00/0000:00:${slot}/domain${domain}/${domain}-0/${domain}-1`,
  })
  const dock = 'pci0000:00/0000:00:07.1/0000:30:00.0/0000:31:00.0'
  const inDock: TreeEntries = {
    ...pci({ at: 'pci0000:00/0000:00:07.1', classCode: '060400', driver: 'pcieport', group: 9 }),
    ...pci({
      at: dock,
      classCode: '088000',
      driver: 'some_driver',
      group: 12,
      files: { removable: 'removable\n' },
    }),
    '/sys/class/watchdog/watchdog4': `-> ../../devices/${dock}/watchdog/watchdog4`,
    [`/sys/devices/${dock}/watchdog/watchdog4/state`]: 'active\n',
  }
  const need = '(spoken for) running watchdog: watchdog4 > 0000:31:00.0'

  it('are needed with the interface that runs their tunnel', () => {
    const seen = read(host('0d.3', 5), router('0d.3', 1), inDock)
    expect(told(seen)).toEqual([need, `${need} > 0000:00:0d.3`])
  })

  it('by the link of the kernel, where there are several interfaces', () => {
    const both = [host('0d.2', 5), router('0d.2', 0), host('0d.3', 6), router('0d.3', 1), inDock]
    const linked = read(...both, {
      '/sys/devices/pci0000:00/0000:00:0d.3/consumer:pci:0000:00:07.1/status': 'active\n',
    })
    expect(told(linked)).toEqual([need, `${need} > 0000:00:0d.3`])
    const port = { '/sys/devices/pci0000:00/0000:00:07.1/supplier:pci:0000:00:0d.2/status': 'active\n' }
    expect(told(read(...both, port))).toEqual([need, `${need} > 0000:00:0d.2`])
    const open = read(...both)
    expect(told(open)).toEqual([need])
    expect(open.lostNeeds).toMatchObject([
      { lost: '0000:31:00.0', couldBe: ['0000:00:0d.2', '0000:00:0d.3'] },
    ])
  })

  it('are not, where nothing is let in, or the card is built in', () => {
    expect(told(read(host('0d.3', 5), router('0d.3', 1, '0'), inDock))).toEqual([need])
    const fixed = { ...inDock, [`/sys/devices/${dock}/removable`]: 'fixed\n' }
    expect(told(read(host('0d.3', 5), router('0d.3', 1), fixed))).toEqual([need])
  })
})
