/**
 * The screen, the text console and the keyboard: what a person standing in front of the machine would lose.
 * With a serial console in use (or another way in), losing the screen is a choice, not a trap.
 */
import { parseAddress, type PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import type { HostNeed } from '../host.ts'
import { ownerOf } from '../read-attached.ts'
import { linkOf, namesIn, textOf, type Reading } from '../reading.ts'
import { joinNeeds, needsOf, type End, type NeedsRead, type NeedStart } from './ends.ts'
import { readKeyboards } from './keyboards.ts'

/** Consoles that somebody can come in by. `ttynull`, `ttyprintk`, `netcon0` and printers take words and give none. */
const wayIn = /^(?:tty(?:S|USB|ACM|AMA|MSM|mxc|PS|LP)|hvc)\d+$/

export function readConsoleNeeds(reading: Reading, devices: readonly PciDevice[]): NeedsRead {
  const active = textOf(reading, '/sys/class/tty/console/active')?.split(/\s+/).filter(Boolean) ?? []
  const serial = active.filter((name) => wayIn.test(name))
  const weight: HostNeed['weight'] = serial.length > 0 ? 'spoken-for' : 'vital'
  const screen = readScreen(reading, devices)
  return joinNeeds([
    { needs: displayNeeds(reading, devices, weight), lost: [] },
    screenNeeds(screen, devices, { active, weight }),
    { needs: serialNeeds(reading, serial), lost: [] },
    readKeyboards(reading, devices, weight),
  ])
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

/** The framebuffer that fbcon took, and the functions that may show it: one where it is known. */
type Screen = { readonly framebuffer?: string; readonly isFirmware: boolean; readonly shownBy: readonly PciAddress[] }

/**
 * A framebuffer that the firmware set up hangs on the platform bus (simpledrm, efifb). The boot display shows it; an adapter
 * of class 0380 states no `boot_vga` (drivers/pci/pci-sysfs.c asks for 0300), so without one it is any of those.
 */
function readScreen(reading: Reading, devices: readonly PciDevice[]): Screen {
  const framebuffer = namesIn(reading, '/sys/class/graphics').find((name) => /^fb\d+$/.test(name))
  const boot = devices.filter((one) => one.bootVga === true).map(({ address }) => address)
  if (framebuffer === undefined) return { isFirmware: false, shownBy: boot.slice(0, 1) }
  const link = linkOf(reading, `/sys/class/graphics/${framebuffer}`)
  const owner = ownerOf(link)
  if (owner !== undefined) return { framebuffer, isFirmware: false, shownBy: [owner] }
  const isFirmware = link?.includes('/platform/') === true
  const adapters = devices.filter(isAdapter).map(({ address }) => address)
  return { framebuffer, isFirmware, shownBy: boot.length > 0 || !isFirmware ? boot.slice(0, 1) : adapters }
}

/** 0302 is a 3D controller, which has no outputs. */
function isAdapter({ classCode = '', bootVga, physFn }: PciDevice): boolean {
  return /^03(?!02)/.test(classCode) && bootVga !== false && physFn === undefined
}

/** The screen of the firmware is a display the host needs, a virtual terminal on it its console. */
function screenNeeds(
  { framebuffer, isFirmware, shownBy }: Screen,
  devices: readonly PciDevice[],
  { active, weight }: { readonly active: readonly string[]; readonly weight: HostNeed['weight'] },
): NeedsRead {
  const hasTerminal = active.some((name) => /^tty\d*$/.test(name))
  const [device, ...others] = shownBy
  if (device === undefined) return joinNeeds([])
  const isBoot = devices.some((one) => one.address === device && one.bootVga === true)
  const starts: NeedStart[] = [
    ...(isFirmware && !isBoot ? [{ kind: 'display', what: 'framebuffer of the firmware', weight } as const] : []),
    ...(hasTerminal ? [{ kind: 'console', what: 'text console', weight } as const] : []),
  ]
  const chain = framebuffer === undefined || (isBoot && isFirmware) ? [] : [framebuffer]
  const lost: End = { to: 'lost', chain: [], lost: framebuffer ?? 'screen', why: 'nothing says which adapter shows it' }
  const end: End = others.length === 0 ? { to: 'function', chain, device } : lost
  return joinNeeds(starts.map((start) => needsOf(start, [end], () => shownBy)))
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
