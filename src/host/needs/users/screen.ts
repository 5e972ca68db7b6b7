/**
 * Finds the screen of the machine: the boot display, the framebuffer of the firmware, and the adapter that
 * shows the text console. If several adapters are possible, the need is lost among them.
 */
import { defined } from '../../../base/defined.ts'
import { parseAddress, type PciAddress } from '../../../pci/address.ts'
import type { PciDevice } from '../../../pci/device.ts'
import type { HostNeed } from '../../host.ts'
import { ownerOf } from '../../read/read-attached.ts'
import { linkOf, textOf, type Reading } from '../../read/reading.ts'
import { joinNeeds, needsOf, type End, type NeedsRead, type NeedStart } from '../ends.ts'

type Wanted = { readonly hasTerminal: boolean; readonly weight: HostNeed['weight'] }

/** `hasTerminal`: a virtual terminal is among the consoles. */
export function readScreen(reading: Reading, devices: readonly PciDevice[], wanted: Wanted): NeedsRead {
  const inMemory = framebufferOwners(textOf(reading, '/proc/iomem', 4 << 20) ?? '')
  const { weight } = wanted
  const boot = devices.filter((one) => one.bootVga === true)
  return joinNeeds([
    {
      needs: [
        ...boot.map(({ address }): HostNeed => displayNeed('boot display', [], { device: address, weight })),
        ...inMemory.map(({ owner, name }) =>
          displayNeed('framebuffer of the firmware', [name], { device: owner, weight }),
        ),
      ],
      lost: [],
    },
    drawnNeeds(drawnOn(reading, devices, inMemory), devices, wanted),
  ])
}

function displayNeed(
  what: string,
  chain: readonly string[],
  { device, weight }: Pick<HostNeed, 'device' | 'weight'>,
): HostNeed {
  return { kind: 'display', what, chain, device, weight }
}

/**
 * /proc/iomem nests ranges by two spaces; a firmware framebuffer is a child of the BAR it lies in. The
 * nesting is there even for users who see all addresses as zero:
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

/** The framebuffer of the text console, and the functions that may show it (one, if it is known). */
type Drawn = {
  /** The framebuffer that fbcon uses. */
  readonly framebuffer?: string
  /** The firmware set it up, and no other need reports it. */
  readonly isFirmware: boolean
  readonly shownBy: readonly PciAddress[]
}

/**
 * A framebuffer of the firmware is on the platform bus (simpledrm, efifb). The boot display shows it. An
 * adapter of class 0380 has no `boot_vga` (drivers/pci/pci-sysfs.c requires 0300), so without a boot display
 * any of these may show it.
 */
function drawnOn(
  reading: Reading,
  devices: readonly PciDevice[],
  inMemory: readonly { owner: PciAddress }[],
): Drawn {
  const { framebuffer, isListed } = firstFramebuffer(reading)
  const boot = devices.filter((one) => one.bootVga === true).map(({ address }) => address)
  const adapters = devices.filter(isAdapter)
  if (framebuffer === undefined) {
    // Without a framebuffer only VGA's text mode is left, which only class 0300 has.
    const maybe = isListed ? adapters.filter((one) => one.classCode?.startsWith('0300')) : adapters
    return {
      isFirmware: false,
      shownBy: boot.length > 0 ? boot.slice(0, 1) : maybe.map(({ address }) => address),
    }
  }
  const link = linkOf(reading, `/sys/class/graphics/${framebuffer}`)
  const owner = ownerOf(link)
  if (owner !== undefined) return { framebuffer, isFirmware: false, shownBy: [owner] }
  if (link?.includes('/virtual/') === true)
    return { framebuffer, isFirmware: false, shownBy: boot.slice(0, 1) }
  const [first] = inMemory
  const isFirmware = first === undefined && link?.includes('/platform/') === true
  const known = boot.length > 0 ? boot.slice(0, 1) : first === undefined ? [] : [first.owner]
  return {
    framebuffer,
    isFirmware,
    shownBy: known.length > 0 ? known : adapters.map(({ address }) => address),
  }
}

/**
 * From the class folder or from /proc/fb (`0 simpledrmdrmfb`). `isListed`: the kernel listed the
 * framebuffers.
 */
function firstFramebuffer(reading: Reading): { readonly framebuffer?: string; readonly isListed: boolean } {
  const listed = reading.system.list('/sys/class/graphics')
  const shown = textOf(reading, '/proc/fb')
  const number = shown === undefined ? undefined : /^(\d{1,3}) /.exec(shown)?.[1]
  const framebuffer =
    (listed.ok ? listed.value.find((name) => /^fb\d+$/.test(name)) : undefined) ??
    (number === undefined ? undefined : `fb${number}`)
  return { isListed: listed.ok || shown !== undefined, ...defined({ framebuffer }) }
}

/** 0302 is a 3D controller, which has no outputs. */
function isAdapter({ classCode = '', bootVga, physFn }: PciDevice): boolean {
  return /^03(?!02)/.test(classCode) && bootVga !== false && physFn === undefined
}

/** The screen of the firmware is a display that the host needs; a virtual terminal on it is its console. */
function drawnNeeds(
  { framebuffer, isFirmware, shownBy }: Drawn,
  devices: readonly PciDevice[],
  { hasTerminal, weight }: Wanted,
): NeedsRead {
  const [device, ...others] = shownBy
  if (device === undefined) return joinNeeds([])
  const isBoot = devices.some((one) => one.address === device && one.bootVga === true)
  const starts: NeedStart[] = [
    ...(isFirmware && !isBoot
      ? [{ kind: 'display', what: 'framebuffer of the firmware', weight } as const]
      : []),
    ...(hasTerminal ? [{ kind: 'console', what: 'text console', weight } as const] : []),
  ]
  const chain = framebuffer === undefined || (isBoot && isFirmware) ? [] : [framebuffer]
  const lost: End = {
    to: 'lost',
    chain: [],
    lost: framebuffer ?? 'screen',
    why: 'nothing says which adapter shows it',
  }
  const end: End = others.length === 0 ? { to: 'function', chain, device } : lost
  return joinNeeds(starts.map((start) => needsOf(start, [end], () => shownBy)))
}
