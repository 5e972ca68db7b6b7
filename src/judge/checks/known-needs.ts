/**
 * A list of devices does not say what is mounted, routed or shown over them. What a host driver holds may be
 * the host's own disk, network or screen, so "ready" would be a guess there.
 */
import type { PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { isVfioDriver } from '../../pci/vfio-driver.ts'
import type { HostNeed, SourceKind } from '../../host/host.ts'
import { nothing, type Check } from '../check.ts'
import { mentions } from '../reasons.ts'
import { isThunderboltInterface } from '../silicon.ts'
import type { Reason } from '../types.ts'
import type { HostView } from '../host-view.ts'
import { addressesText } from '../words.ts'

export const checkKnownNeeds: Check = (device, view) => {
  if (isNothingKnown(device)) return [unknownKind(device)]
  const kind = unreadKind(device, view)
  if (kind === undefined || isFree(device, kind)) return nothing
  return (
    reasonOfMany(view, kind) ?? [
      reasonOf(
        kind,
        mentions(device.address, (it) => unsaid(`whether the host itself uses ${it} (${sources[kind]})`)),
        [device.address],
      ),
    ]
  )
}

const unsaid = (what: string) => `the input does not say ${what}`

function reasonOf(
  unread: Kind,
  words: Pick<Reason, 'message' | 'brief'>,
  about: readonly PciAddress[],
): Reason {
  return {
    code: 'input-incomplete',
    severity: 'note',
    undecided: true,
    unread,
    ...words,
    help: 'run handover inspect on the machine, or handover capture there and inspect the capture',
    about,
  }
}

type Kind = keyof typeof sources

const maxApart = 6
const told = new WeakMap<HostView, Map<Kind, readonly Reason[] | undefined>>()

/** One reason for all, where there are many. */
function reasonOfMany(view: HostView, kind: Kind): readonly Reason[] | undefined {
  const known = told.get(view) ?? new Map<Kind, readonly Reason[] | undefined>()
  told.set(view, known)
  if (!known.has(kind)) {
    const held = view.host.devices.filter(
      (one) => !isNothingKnown(one) && unreadKind(one, view) === kind && !isFree(one, kind),
    )
    const about = held.map(({ address }) => address)
    const which = `which of ${about.length} ${words[kind]} the host itself uses (${sources[kind]})`
    known.set(
      kind,
      about.length > maxApart
        ? [reasonOf(kind, { message: unsaid(`${which}: ${addressesText(about)}`) }, about)]
        : undefined,
    )
  }
  return known.get(kind)
}

/**
 * A bare address (`find` over the groups; a function that went away while it was read): it may be anything.
 */
function isNothingKnown(device: PciDevice): boolean {
  return device.classCode === undefined && device.facts?.headerType !== 1 && !isVfioDriver(device.driver)
}

function unknownKind({ address }: PciDevice): Reason {
  return {
    code: 'input-incomplete',
    severity: 'note',
    undecided: true,
    unread: 'class',
    ...mentions(address, (it) => unsaid(`what kind of device ${it} is`)),
    help: 'add the output of: lspci -nnk',
    about: [address],
  }
}

const sources = {
  disk: 'mounts',
  network: 'routes',
  input: 'keyboards',
  display: 'the boot display',
  console: 'consoles',
} as const
const words = {
  disk: 'disk controllers',
  network: 'network ports',
  input: 'USB controllers',
  display: 'graphics cards',
  console: 'serial ports',
}

/**
 * What the host may have on a function of a class, by its first digits: Fibre Channel, FireWire, SD and card
 * readers without a class carry disks; InfiniBand, and wireless beside class 02, may carry the way in.
 */
const kindsByClass: readonly (readonly [string, Kind])[] = [
  ['01', 'disk'],
  ['0c04', 'disk'],
  ['0c00', 'disk'],
  ['0805', 'disk'],
  ['00', 'disk'],
  ['ff', 'disk'],
  ['02', 'network'],
  ['0c06', 'network'],
  ['0d', 'network'],
  ['0c03', 'input'],
  ['07', 'console'],
]

function needKind(device: PciDevice): Kind | undefined {
  const { bootVga, classCode = '', driver } = device
  // Card readers state classes of all kinds.
  if (driver === 'sdhci-pci') return 'disk'
  // A 3D controller (0302) has no screen; where `boot_vga` was read, it answers.
  if (classCode.startsWith('03'))
    return bootVga === undefined && !classCode.startsWith('0302') ? 'display' : undefined
  return kindsByClass.find(([start]) => classCode.startsWith(start))?.[1]
}

const inADock: readonly Kind[] = ['network', 'disk', 'input', 'display']

/** A Thunderbolt interface carries whatever is in the dock behind it. */
function unreadKind(device: PciDevice, view: HostView): Kind | undefined {
  if (isThunderboltInterface(device)) return inADock.find((kind) => isUnread(view, kind))
  const kind = needKind(device)
  return kind !== undefined && isUnread(view, kind) ? kind : undefined
}

/** Inputs that hold the files of a machine, so that its needs can be read; any other lists devices. */
const withFiles: ReadonlySet<SourceKind> = new Set(['live', 'capture', 'sysfs'])

function isUnread(view: HostView, kind: HostNeed['kind']): boolean {
  const { unreadNeeds, source } = view.host
  return unreadNeeds ? unreadNeeds.includes(kind) : !withFiles.has(source.kind)
}

/** Drivers that only keep a function from the host's own; pciback keeps it for Xen's guests. */
const setAside: ReadonlySet<string> = new Set(['pci-stub', 'pciback', 'xen-pciback'])

/**
 * Nothing on the host can use a function that VFIO holds, or one without a driver; a screen the firmware set
 * up needs none.
 */
function isFree(device: PciDevice, kind: HostNeed['kind']): boolean {
  // The firmware may run the tunnels of a dock without a driver of the host.
  if (device.driver === null) return kind !== 'display' && !isThunderboltInterface(device)
  return isVfioDriver(device.driver) || (device.driver !== undefined && setAside.has(device.driver))
}
