/**
 * Finds keyboards in /proc/bus/input/devices. Each may go if another one stays. A keyboard on the board's own
 * controller (PS/2) always stays; keyboards that programs create do not count.
 */
import type { PciAddress } from '../../../pci/address.ts'
import { deviceClass, type PciDevice } from '../../../pci/device.ts'
import type { HostNeed } from '../../host.ts'
import { ownerOf } from '../../read/read-attached.ts'
import { linkOf, namesIn, textOf, type Reading } from '../../read/reading.ts'
import { needsOf, joinNeeds, type End, type NeedsRead } from '../ends.ts'
import { anyOf } from '../sets.ts'

/** BUS_BLUETOOTH of linux/input.h. */
const bluetooth = '0005'

export function readKeyboards(
  reading: Reading,
  devices: readonly PciDevice[],
  weight: HostNeed['weight'],
): NeedsRead {
  const text = textOf(reading, '/proc/bus/input/devices', 4 << 20) ?? ''
  const ends: End[] = []
  let oneStays = false
  for (const block of text.split('\n\n')) {
    // The kernel gives the `sysrq` handler only to devices with letters and Alt, so a power button has none.
    if (!/^H: Handlers=.*\bsysrq\b/m.test(block)) continue
    const name = /^N: Name="(.*)"$/m.exec(block)?.[1] ?? 'keyboard'
    const path = /^S: Sysfs=(.*)$/m.exec(block)?.[1] ?? ''
    const device = ownerOf(path)
    if (device !== undefined) ends.push({ to: 'function', chain: [name], device })
    else if (/^I: Bus=([0-9a-f]{4})/m.exec(block)?.[1] === bluetooth) ends.push(...radioEnds(reading, name))
    else if (path.startsWith('/devices/platform/')) oneStays = true
  }
  const legs = ends.map((end) => ({ ends: [end] }))
  const start = { kind: 'input', what: 'keyboard', weight: oneStays ? 'spoken-for' : weight } as const
  const couldBe = () => devices.filter((one) => deviceClass(one) === 'usb').map(({ address }) => address)
  return ends.length === 0 ? joinNeeds([]) : needsOf(start, anyOf('keyboards', legs), couldBe)
}

/**
 * A Bluetooth keyboard needs its adapter. BlueZ creates the kernel's device without a link to the adapter
 * (uhid).
 */
function radioEnds(reading: Reading, name: string): End[] {
  const adapters = namesIn(reading, '/sys/class/bluetooth')
    .filter((one) => /^hci\d+$/.test(one))
    .map((one) => ({ one, device: ownerOf(linkOf(reading, `/sys/class/bluetooth/${one}`)) }))
  const [first] = adapters
  if (adapters.length === 1 && first?.device !== undefined)
    return [{ to: 'function', chain: [name, first.one], device: first.device }]
  return [{ to: 'lost', chain: [], lost: name, why: 'nothing says which Bluetooth adapter it uses' }]
}

/** Functions with a keyboard. */
export function keyboardsOf(needs: readonly HostNeed[]): Set<PciAddress> {
  return new Set(needs.filter(({ kind }) => kind === 'input').map(({ device }) => device))
}
