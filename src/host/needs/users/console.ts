/**
 * The ways in which a person reaches the machine: the screen (screen.ts), the keyboard (keyboards.ts), serial
 * consoles. With a serial console in use, a person may give up the screen.
 */
import type { PciDevice } from '../../../pci/device.ts'
import type { HostNeed } from '../../host.ts'
import { ownerOf } from '../../read/read-attached.ts'
import { linkOf, namesIn, textOf, type Reading } from '../../read/reading.ts'
import { joinNeeds, needsOf, type End, type NeedsRead } from '../ends.ts'
import { readKeyboards } from './keyboards.ts'
import { readScreen } from './screen.ts'

/**
 * Consoles through which a person can log in. `ttynull`, `ttyprintk`, `netcon0` and printers only receive
 * output.
 */
const wayIn = /^(?:tty(?:S|USB|ACM|AMA|MSM|mxc|PS|LP)|hvc)\d+$/

export function readConsoleNeeds(reading: Reading, devices: readonly PciDevice[]): NeedsRead {
  const active = textOf(reading, '/sys/class/tty/console/active')?.split(/\s+/).filter(Boolean) ?? []
  const serial = active.filter((name) => wayIn.test(name))
  const weight: HostNeed['weight'] = serial.length > 0 ? 'spoken-for' : 'vital'
  return joinNeeds([
    readScreen(reading, devices, { hasTerminal: active.some((name) => /^tty\d*$/.test(name)), weight }),
    ...serial.map((name) => serialNeed(reading, devices, name)),
    readKeyboards(reading, devices, weight),
  ])
}

/** A console on a PCI UART or a virtio console. A UART of the board has no PCI function. */
function serialNeed(reading: Reading, devices: readonly PciDevice[], name: string): NeedsRead {
  const start = { kind: 'console', what: 'serial console', weight: 'vital' } as const
  // Class 07 is communication: UARTs, and the virtio console (0780).
  const couldBe = () =>
    devices
      .filter((one) => one.classCode?.startsWith('07') && one.driver !== null)
      .map(({ address }) => address)
  return needsOf(start, serialEnds(reading, name), couldBe)
}

function serialEnds(reading: Reading, name: string): End[] {
  const link = linkOf(reading, `/sys/class/tty/${name}`)
  const device = ownerOf(link)
  if (device !== undefined) return [{ to: 'function', chain: [name], device }]
  if (link === undefined) return [{ to: 'lost', chain: [], lost: name, why: 'nothing says what carries it' }]
  const virtio = name.startsWith('hvc') ? virtioConsoles(reading) : []
  if (virtio.length === 0) return [{ to: 'elsewhere', chain: [name], why: 'it is a port of the board' }]
  return virtio.map((one): End => {
    if (virtio.length === 1) return { to: 'function', chain: [name], device: one }
    return { to: 'lost', chain: [], lost: name, why: 'nothing says which virtio console carries it' }
  })
}

/**
 * hvc0 has no link to a device (drivers/tty/hvc/hvc_console.c); the virtio console driver lists its devices.
 */
function virtioConsoles(reading: Reading) {
  const folder = '/sys/bus/virtio/drivers/virtio_console'
  return namesIn(reading, folder).flatMap((name) => ownerOf(linkOf(reading, `${folder}/${name}`)) ?? [])
}
