/**
 * The screen, the text console and the keyboard: what a person standing in front of the machine would lose.
 * With a serial console in use (or another way in), losing the screen is a choice, not a trap.
 */
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import type { HostNeed } from '../host.ts'
import { ownerOf } from '../read-attached.ts'
import { linkOf, namesIn, textOf, type Reading } from '../reading.ts'
import type { NeedsRead } from './ends.ts'

export function readConsoleNeeds(reading: Reading, devices: readonly PciDevice[]): NeedsRead {
  const active = textOf(reading, '/sys/class/tty/console/active')?.split(/\s+/).filter(Boolean) ?? []
  const serial = active.filter((name) => !/^tty\d*$/.test(name))
  const weight: HostNeed['weight'] = serial.length > 0 ? 'spoken-for' : 'vital'
  const needs = [
    ...displayNeeds(reading, devices, weight),
    ...textConsoleNeeds(reading, devices, active, weight),
    ...serialNeeds(reading, serial),
    ...keyboardNeeds(reading, weight),
  ]
  return { needs, lost: [] }
}

function displayNeeds(reading: Reading, devices: readonly PciDevice[], weight: HostNeed['weight']): HostNeed[] {
  const needs: HostNeed[] = []
  for (const device of devices) {
    if (device.bootVga === true)
      needs.push({ kind: 'display', what: 'boot display', chain: [], device: device.address, weight })
  }
  for (const { owner, name } of framebufferOwners(textOf(reading, '/proc/iomem', 4 << 20) ?? '')) {
    needs.push({ kind: 'display', what: 'framebuffer of the firmware', chain: [name], device: owner, weight })
  }
  return needs
}

/**
 * /proc/iomem nests ranges by two spaces; a firmware framebuffer is a child of the BAR it lies in. The nesting is there
 * even for users who see all addresses as zero:
 *
 *     80000000-80ffffff : 0000:00:01.0
 *       80000000-807effff : BOOTFB
 */
export function framebufferOwners(text: string): { readonly owner: PciAddress; readonly name: string }[] {
  const found: { owner: PciAddress; name: string }[] = []
  const above: { depth: number; owner: PciAddress | undefined }[] = []
  for (const line of text.split('\n')) {
    const match = /^( *)[0-9a-f]+-[0-9a-f]+ : (.*)$/.exec(line)
    if (!match) continue
    const [, indent = '', name = ''] = match
    while (above.length > 0 && (above.at(-1)?.depth ?? 0) >= indent.length) above.pop()
    const inherited = above.at(-1)?.owner
    if (inherited && /^(?:BOOTFB|efifb|vesafb|simplefb|simpledrm|simple-framebuffer)/i.test(name))
      found.push({ owner: inherited, name })
    above.push({ depth: indent.length, owner: parseAddress(name) ?? inherited })
  }
  return found
}

/** A virtual terminal among the consoles is drawn by the framebuffer that fbcon took: fb0, or the boot display. */
function textConsoleNeeds(
  reading: Reading,
  devices: readonly PciDevice[],
  active: readonly string[],
  weight: HostNeed['weight'],
): HostNeed[] {
  if (!active.some((name) => /^tty\d*$/.test(name))) return []
  const framebuffer = namesIn(reading, '/sys/class/graphics').find((name) => /^fb\d+$/.test(name))
  const owner = framebuffer && ownerOf(linkOf(reading, `/sys/class/graphics/${framebuffer}`))
  const device = owner || devices.find((d) => d.bootVga === true)?.address
  if (!device) return []
  return [{ kind: 'console', what: 'text console', chain: framebuffer && owner ? [framebuffer] : [], device, weight }]
}

/** A console on a PCI UART or a virtio console; one on the board's own UART has no PCI function of its own. */
function serialNeeds(reading: Reading, names: readonly string[]): HostNeed[] {
  const needs: HostNeed[] = []
  for (const name of names) {
    const device = ownerOf(linkOf(reading, `/sys/class/tty/${name}`))
    if (device) needs.push({ kind: 'console', what: 'serial console', chain: [name], device, weight: 'vital' })
  }
  return needs
}

/** /proc/bus/input/devices: blocks of lines; a keyboard has the `sysrq` handler, and `S:` is its sysfs path. */
function keyboardNeeds(reading: Reading, weight: HostNeed['weight']): HostNeed[] {
  const text = textOf(reading, '/proc/bus/input/devices', 4 << 20) ?? ''
  const keyboards: { name: string; device: PciAddress | undefined }[] = []
  for (const block of text.split('\n\n')) {
    if (!/^H: Handlers=.*\bsysrq\b/m.test(block)) continue
    const name = /^N: Name="(.*)"$/m.exec(block)?.[1] ?? 'keyboard'
    keyboards.push({ name, device: ownerOf(/^S: Sysfs=(.*)$/m.exec(block)?.[1]) })
  }
  const places = new Set(keyboards.map((keyboard) => keyboard.device))
  const needs: HostNeed[] = []
  for (const { name, device } of keyboards) {
    if (device)
      needs.push({
        kind: 'input',
        what: 'keyboard',
        chain: [name],
        device,
        weight: places.size > 1 ? 'spoken-for' : weight,
      })
  }
  return needs
}
