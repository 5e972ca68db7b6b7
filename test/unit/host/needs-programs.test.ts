import type { Host } from '../../../src/host/host.ts'
import { describe, expect, it } from 'vitest'
import { captureHost } from '../../../src/sources/capture/capture.ts'
import { parseCapture } from '../../../src/sources/capture/parse-capture.ts'
import { readHost } from '../../../src/host/read/read-host.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import type { Reader } from '../../../src/machine/system.ts'
import { readTree as read, told } from '../../support/host-needs.ts'
import { pci, tree, type TreeEntries } from '../../support/sysfs-tree.ts'

const at = 'pci0000:00/0000:00:1b.0/0000:08:00.0'
const address = '0000:08:00.0'
const card = (classCode: string, driver: string): TreeEntries => pci({ at, classCode, driver, group: 21 })

/** An entry of a class folder that hangs on the card. */
const inClass = (name: string, below = name): TreeEntries => ({
  [`/sys/class/${name}`]: `-> ../../devices/${at}/${below}`,
})

/** A running program with nodes open. */
function program(pid: number, name: string, ...nodes: readonly string[]): TreeEntries {
  return {
    [`/proc/${pid}/comm`]: `${name.slice(0, 15)}\n`,
    [`/proc/${pid}/cmdline`]: `/usr/bin/${name}\0--quiet\0`,
    ...Object.fromEntries(nodes.map((node, index) => [`/proc/${pid}/fd/${index + 3}`, `-> ${node}`])),
  }
}

const verdict = (...parts: readonly TreeEntries[]) => judgeHost(read(...parts)).devices[0]?.verdict

describe('programs that have a node of a function open', () => {
  it.each<[string, TreeEntries, string, string]>([
    ['a graphics card', inClass('drm/renderD130'), '/dev/dri/renderD130', '030000'],
    ['a sound card', inClass('sound/pcmC2D0p', 'sound/card2/pcmC2D0p'), '/dev/snd/pcmC2D0p', '040300'],
    ['a tuner', inClass('dvb/dvb3.demux0'), '/dev/dvb/adapter3/demux0', '048000'],
    ['a frame grabber', inClass('video4linux/video7'), '/dev/video7', '040000'],
    ['a serial card', inClass('tty/ttyS9', 'tty/ttyS9'), '/dev/ttyS9', '070002'],
    [
      'a radio at a USB port',
      inClass('tty/ttyUSB4', 'usb5/5-1/5-1:1.0/ttyUSB4/tty/ttyUSB4'),
      '/dev/ttyUSB4',
      '0c0330',
    ],
    ['a UPS read as hidraw', inClass('hidraw/hidraw6', 'usb5/5-2/hidraw/hidraw6'), '/dev/hidraw6', '0c0330'],
    [
      'a tape drive',
      inClass('scsi_tape/nst1', 'host4/target4:0:0/4:0:0:0/scsi_tape/nst1'),
      '/dev/nst1',
      '010700',
    ],
    ['an inference card', inClass('apex/apex_0'), '/dev/apex_0', '0880ff'],
    ['a clock of a network card', inClass('ptp/ptp2'), '/dev/ptp2', '020000'],
    ['a port driven from user space', inClass('uio/uio1'), '/dev/uio1', '020000'],
  ])('%s is in use, and the program is named', (_, entry, node, classCode) => {
    const host = read(card(classCode, 'some_driver'), entry, program(4021, 'recorderd', node))
    expect(told(host)).toEqual([
      `(spoken for) program recorderd: recorderd > process 4021 > ${node} > ${address}`,
    ])
    expect(judgeHost(host).devices[0]?.reasons.map(({ code }) => code)).toContain('host-use')
  })

  it('a USB device by its bus and number', () => {
    const usb = (name: string, bus: number, number: number): TreeEntries => ({
      [`/sys/devices/${at}/usb5/${name}/busnum`]: `${bus}\n`,
      [`/sys/devices/${at}/usb5/${name}/devnum`]: `${number}\n`,
      [`/sys/bus/usb/devices/${name}`]: `-> ../../../devices/${at}/usb5/${name}`,
    })
    const controller = { ...card('0c0330', 'xhci_hcd'), ...usb('5-2', 5, 11), ...usb('5-4', 5, 12) }
    expect(told(read(controller, program(77, 'usbhid-ups', '/dev/bus/usb/005/012')))).toEqual([
      `(spoken for) program usbhid-ups: usbhid-ups > process 77 > /dev/bus/usb/005/012 > ${address}`,
    ])
    expect(told(read(controller, program(77, 'usbhid-ups', '/dev/bus/usb/004/012')))).toEqual([])
  })

  it('a card of the NVIDIA driver by its minor number, and any of them where that is not stated', () => {
    const other = pci({
      at: 'pci0000:00/0000:00:01.0/0000:01:00.0',
      classCode: '030000',
      driver: 'nvidia',
      group: 2,
    })
    const gpus = (first: string): TreeEntries => ({
      '/proc/driver/nvidia/gpus/0000:01:00.0/information': first,
      '/proc/driver/nvidia/gpus/0000:08:00.0/information': 'Model: A card\nDevice Minor: \t 3\n',
    })
    const parts = [
      other,
      card('030000', 'nvidia'),
      program(9, 'llm-server', '/dev/nvidiactl', '/dev/nvidia3'),
    ]
    const needed = (info: string) => read(...parts, gpus(info)).needs.map((need) => need.device)
    expect(needed('Device Minor: \t 0\n')).toEqual([address])
    const all = read(...parts, {
      '/proc/driver/nvidia/gpus/0000:01:00.0/': '',
      '/proc/driver/nvidia/gpus/0000:08:00.0/': '',
    })
    expect(all.needs.map((need) => need.device)).toEqual(['0000:01:00.0', address])
  })

  it('is told once for many processes of one program, and names of theirs cannot forge a line', () => {
    const host = read(
      card('030000', 'some_driver'),
      inClass('drm/card3'),
      program(10, 'browser', '/dev/dri/card3'),
      program(11, 'browser', '/dev/dri/card3'),
      { ...program(12, 'x', '/dev/dri/card3'), '/proc/12/comm': 'evil\u001b[2K\u202eok\n' },
    )
    expect(told(host)).toEqual([
      `(spoken for) program browser: browser > process 10 and 1 more > /dev/dri/card3 > ${address}`,
      `(spoken for) program evil[2Kok: evil[2Kok > process 12 > /dev/dri/card3 > ${address}`,
    ])
  })

  it('does not take the node of one class for that of another by its name', () => {
    const sound = { ...card('040300', 'snd_hda_intel'), ...inClass('sound/card1') }
    expect(told(read(sound, program(5, 'player', '/dev/dri/card1')))).toEqual([])
  })

  it('leaves alone what nobody has open', () => {
    const idle = {
      ...card('0c0330', 'xhci_hcd'),
      ...inClass('tty/ttyACM1'),
      ...program(6, 'shell', '/dev/pts/1'),
    }
    expect(verdict(idle)).not.toBe('caution')
    expect(told(read(idle))).toEqual([])
  })

  it('finds a node that a container calls by another name, by the number the kernel gives it', () => {
    const root = tree(
      card('0c0330', 'xhci_hcd'),
      { '/sys/dev/char/188:4': `-> ../../devices/${at}/usb5/5-1/5-1:1.0/ttyUSB4/tty/ttyUSB4` },
      program(31, 'home-server', '/dev/radio'),
    )
    const system: Reader = {
      ...linuxSystem({ root }),
      nodeNumber: (path) => (path === '/proc/31/fd/3' ? 'char 188:4' : undefined),
    }
    const expected = [`(spoken for) program home-server: home-server > process 31 > /dev/radio > ${address}`]
    expect(told(readHost(system))).toEqual(expected)
    const capture = parseCapture(captureHost(system, 'test').text, 'a capture')
    expect(capture.ok && told(capture.host)).toEqual(expected)
  })
})

describe('programs whose open files may not be read', () => {
  const busy = {
    ...card('0c0330', 'xhci_hcd'),
    ...inClass('tty/ttyACM1'),
    ...program(41, 'daemon', '/dev/ttyACM1'),
  }
  const hiding = (root: string): Reader => {
    const system = linuxSystem({ root })
    return {
      ...system,
      list: (path) =>
        path === '/proc/41/fd' ? { ok: false, reason: 'unreadable', code: 'EACCES' } : system.list(path),
    }
  }

  it('leave functions with nodes unknown, and others as they are', () => {
    const nic = pci({ at: 'pci0000:00/0000:00:1c.0/0000:02:00.0', driver: 'igb', group: 22 })
    const host = readHost(hiding(tree(busy, nic)))
    expect(host.lostNeeds).toMatchObject([{ kind: 'use', lost: '/proc/41/fd', couldBe: [address] }])
    expect(judgeHost(host).devices.find((one) => one.address === address)?.verdict).toBe('unknown')
    const port = judgeHost(host).devices.find((one) => one.address === '0000:02:00.0')
    expect(port?.reasons.map(({ code }) => code)).not.toContain('need-lost')
  })

  it('are noted by the first, in a capture as on the machine', () => {
    const root = tree(busy, program(42, 'other', '/dev/ttyACM1'), program(43, 'third', '/dev/ttyACM1'))
    const system = linuxSystem({ root })
    const hidden: Reader = {
      ...system,
      list: (path) =>
        /^\/proc\/4\d\/fd$/.test(path)
          ? { ok: false, reason: 'unreadable', code: 'EACCES' }
          : system.list(path),
    }
    const notes = (host: Host) =>
      host.findings.map(({ message }) => message).filter((text) => text.includes('/fd'))
    const live = notes(readHost(hidden))
    expect(live).toEqual(['/proc/41/fd cannot be read (EACCES), so its content is not known'])
    const capture = parseCapture(captureHost(hidden, 'test').text, 'a capture')
    expect(capture.ok && notes(capture.host)).toEqual(live)
  })

  it('and a device that VFIO holds may be that of a running VM', () => {
    const bound = { ...card('020000', 'vfio-pci'), ...program(41, 'daemon') }
    const lost = readHost(hiding(tree(bound, { '/proc/41/fd/': '' }))).lostNeeds
    expect(lost).toMatchObject([{ kind: 'vm', couldBe: [address] }])
  })

  it('a /proc that hides whole processes is known by the first one that is missing', () => {
    const root = tree(busy)
    const live = (more: TreeEntries) =>
      readHost({ ...linuxSystem({ root: tree(busy, more) }), live: true }).lostNeeds
    expect(live({ '/proc/1/comm': 'init\n' })).toBeUndefined()
    expect(live({})).toMatchObject([{ kind: 'use', lost: '/proc' }])
    expect(readHost(linuxSystem({ root })).lostNeeds).toBeUndefined()
  })

  it('stay hidden in a capture', () => {
    const capture = parseCapture(captureHost(hiding(tree(busy)), 'test').text, 'a capture')
    expect(capture.ok && capture.host.lostNeeds).toMatchObject([
      { kind: 'use', lost: '/proc/41/fd', couldBe: [address] },
    ])
  })
})

describe('a capture', () => {
  it('keeps who uses what, and nothing else of programs', () => {
    const root = tree(
      card('048000', 'some_driver'),
      inClass('dvb/dvb0.frontend0'),
      program(50, 'a-very-long-program-name', '/dev/dvb/adapter0/frontend0', '/home/olga/letters.odt'),
      {
        '/proc/51/cmdline': 'postgres: olga secret\0',
        '/proc/51/comm': 'postgres\n',
        '/proc/51/fd/3': '-> /home/olga/db',
      },
    )
    const { text } = captureHost(linuxSystem({ root }), 'test')
    expect(text).not.toMatch(/olga|postgres|--quiet/)
    const capture = parseCapture(text, 'a capture')
    expect(capture.ok && told(capture.host)).toEqual(told(readHost(linuxSystem({ root }))))
    expect(text).toContain('a-very-long-program-name')
  })
})

describe('watchdogs', () => {
  const dog = (state: string): TreeEntries => ({
    ...card('088000', 'i6300esb'),
    ...inClass('watchdog/watchdog1'),
    [`/sys/devices/${at}/watchdog/watchdog1/state`]: `${state}\n`,
  })

  it.each<[string, TreeEntries, string[]]>([
    ['that run', dog('active'), [`(spoken for) running watchdog: watchdog1 > ${address}`]],
    [
      'that somebody feeds',
      { ...dog('inactive'), ...program(1, 'init', '/dev/watchdog1') },
      [`(spoken for) watchdog of init: watchdog1 > ${address}`],
    ],
    ['that nobody started', dog('inactive'), []],
  ])('%s', (_, parts, expected) => {
    expect(told(read(parts))).toEqual(expected)
  })
})
