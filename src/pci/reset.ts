/**
 * What would really reset a device between two guests. sysfs `reset_method` is where it starts, not where it
 * ends: the list is made when a function is found, so function 0 of a card shows `bus` although its siblings,
 * found right afterwards, make that reset refuse (ENOTTY). Without the file the methods are predicted from
 * configuration space, in the kernel's order.
 */
import type { PciAddress } from './address.ts'
import { isBridge, type PciDevice } from './device.ts'
import type { Draft } from './draft.ts'
import { holdsFor, type Kernel, parseKernel, sinceWords } from './quirks/kernel-release.ts'
import {
  busResetQuirksOf,
  type ResetQuirk,
  resetQuirksOf,
  type ResetRule,
  vendorResetFamily,
} from './quirks/reset-quirks.ts'
import type { Topology, TopologyNode } from './topology-node.ts'

/** The kernel's words and order (`pci_reset_fn_methods`). */
export const resetMethods = ['device_specific', 'acpi', 'flr', 'af_flr', 'pm', 'bus', 'cxl_bus'] as const
export type ResetMethod = (typeof resetMethods)[number]

/**
 * `function`: the function resets by itself (FLR, the kernel's own way, ACPI). `bus`: alone behind its port,
 * a bus reset works. `together`: only all functions of the bus at once, so they must go to one guest.
 * `power`: D3hot and back, which may or may not clear anything. `none`: state leaks from one guest run into
 * the next.
 */
export type ResetClass = 'function' | 'bus' | 'together' | 'power' | 'none' | 'unknown'

export type ResetNote = {
  /**
   * `quirkMissing`: this kernel offers what a newer one refuses. `misleadingBus`: `bus` is listed and will
   * not work.
   */
  readonly kind: ResetRule | 'misleadingBus' | 'vendorReset' | 'quirkMissing'
  readonly about: string
  /** Kernels that have the quirk, when not all do: `6.1.165, 6.12.75 and 7.1`. */
  readonly sinceKernel?: string
  /** Whether this kernel has the quirk is not known. */
  readonly inDoubt?: true
}

export type ResetJudgement = {
  readonly class: ResetClass
  /** What will really be used or can be, in the kernel's order. */
  readonly usable: readonly ResetMethod[]
  /** `stated` by the kernel, or `predicted` from configuration space (`acpi` cannot be predicted). */
  readonly from: 'stated' | 'predicted'
  /**
   * With class `together`: the others on the same bus, which a bus reset hits too and which therefore go to
   * the same guest.
   */
  readonly together: readonly PciAddress[]
  readonly notes: readonly ResetNote[]
  /**
   * The kernel would use a method that is known bad on this device, and these it lists work: what
   * `reset_method` should hold.
   */
  readonly instead?: readonly ResetMethod[]
}

/** Absent for bridges and unknown addresses: nothing resets those for a guest. */
export function judgeReset(
  topology: Topology,
  address: PciAddress,
  kernelRelease?: string,
): ResetJudgement | undefined {
  const node = topology.byAddress.get(address)
  if (!node || isBridge(node.device) || node.device.facts?.headerType === 1) return undefined
  const { device } = node
  const kernel = parseKernel(kernelRelease)
  const known = knownOf(node, kernel, 'may')
  const usable = usableOf(device, known)
  const cautious = classify(device, usable, known, node)
  // With a quirk that this kernel may have or not, only what holds in both cases is known.
  const least = isAnyInDoubt(node, kernel) ? knownOf(node, kernel, 'does') : known
  const reset =
    least === known || classify(device, usableOf(device, least), least, node) === cautious
      ? cautious
      : 'unknown'
  const judged: Draft<ResetJudgement> = {
    class: reset,
    usable,
    from: device.resetMethods ? 'stated' : 'predicted',
    together: reset === 'together' ? othersOnBus(node) : alone,
    notes: findNotes(device, kernel, known),
  }
  const instead = findInstead(device, known)
  if (instead !== undefined) judged.instead = instead
  return judged
}

const alone: readonly PciAddress[] = []

function othersOnBus(node: TopologyNode): PciAddress[] {
  return node.onBus.flatMap((other) => (other === node ? [] : other.address))
}

/** A kernel that lists a method which a quirk forbids does not have that quirk, whatever its version says. */
function findInstead(device: PciDevice, known: Known): ResetJudgement['instead'] {
  const stated = device.resetMethods
  const rows = resetQuirksOf(device)
  if (stated === undefined || rows.length === 0) return undefined
  const rules = new Set(rows.map((row) => row.rule))
  const isBad = (method: ResetMethod) =>
    ((method === 'flr' || method === 'af_flr') && rules.has('noFlr')) ||
    (method === 'pm' && rules.has('noPmReset') && !known.onRootBus)
  const working = keepWorking(stated, known)
  const instead = working.filter((method) => !isBad(method))
  return working[0] !== undefined && isBad(working[0]) && instead.length > 0 ? instead : undefined
}

type Known = {
  /** Other functions on the bus. */
  readonly others: number
  readonly barred: ReadonlySet<ResetRule>
  /** Could the bus be reset at all, the other functions on it left aside? */
  readonly busReset: 'possible' | 'refused' | 'unknown'
  readonly onRootBus: boolean
}

/** Rows that this kernel `does` have for sure, or those that it `may` have. */
type Having = 'does' | 'may'

function isHad(row: ResetQuirk, kernel: Kernel | undefined, having: Having): boolean {
  const holds = holdsFor(row.since, kernel)
  return having === 'may' ? holds !== false : holds === true
}

function knownOf(node: TopologyNode, kernel: Kernel | undefined, having: Having): Known {
  return {
    others: node.onBus.length - 1,
    barred: findBarredRules(node, kernel, having),
    busReset: judgeBusReset(node, kernel, having),
    onRootBus: !node.parent && !node.parentUnsure,
  }
}

function usableOf(device: PciDevice, known: Known): readonly ResetMethod[] {
  return device.resetMethods ? keepWorking(device.resetMethods, known) : predictMethods(device, known)
}

function isAnyInDoubt({ device, onBus, parent }: TopologyNode, kernel: Kernel | undefined): boolean {
  const inDoubt = ({ since }: ResetQuirk) => since !== undefined && holdsFor(since, kernel) === undefined
  if (resetQuirksOf(device).some(inDoubt)) return true
  if (parent && busResetQuirksOf(parent.device).some(inDoubt)) return true
  return onBus.length > 1 && onBus.some((one) => busResetQuirksOf(one.device).some(inDoubt))
}

const noRules: ReadonlySet<ResetRule> = new Set()

function findBarredRules(
  { device }: TopologyNode,
  kernel: Kernel | undefined,
  having: Having,
): ReadonlySet<ResetRule> {
  const rows = resetQuirksOf(device)
  if (rows.length === 0) return noRules
  return new Set(rows.filter((row) => isHad(row, kernel, having)).map((row) => row.rule))
}

function judgeBusReset(node: TopologyNode, kernel: Kernel | undefined, having: Having): Known['busReset'] {
  if (node.physicalFunction) return 'refused'
  if (!node.parent) return node.parentUnsure ? 'unknown' : 'refused'
  const isBarred = barsBusReset(node.parent.device, kernel, having) || hasBarred(node.onBus, kernel, having)
  return isBarred ? 'refused' : 'possible'
}

type BarredBus = { readonly kernel: Kernel | undefined; readonly having: Having; readonly barred: boolean }

/** Asked for each function of a bus, and the same for all of them. */
const barredBuses = new WeakMap<readonly TopologyNode[], BarredBus>()

function hasBarred(onBus: readonly TopologyNode[], kernel: Kernel | undefined, having: Having): boolean {
  const known = barredBuses.get(onBus)
  if (known && known.kernel === kernel && known.having === having) return known.barred
  const barred = onBus.some(({ device }) => barsBusReset(device, kernel, having))
  barredBuses.set(onBus, { kernel, having, barred })
  return barred
}

function barsBusReset(device: PciDevice, kernel: Kernel | undefined, having: Having): boolean {
  return busResetQuirksOf(device).some((row) => isHad(row, kernel, having))
}

const methodNames: ReadonlySet<string> = new Set(resetMethods)

function isMethod(name: string): name is ResetMethod {
  return methodNames.has(name)
}

function keepWorking(stated: readonly string[], known: Known): readonly ResetMethod[] {
  const busWorks = known.others === 0 && known.busReset !== 'refused'
  return stated.filter((name): name is ResetMethod => isMethod(name) && (name !== 'bus' || busWorks))
}

function predictMethods(device: PciDevice, known: Known): readonly ResetMethod[] {
  const { facts } = device
  const mayFlr = !known.barred.has('noFlr')
  const may: Readonly<Record<ResetMethod, boolean>> = {
    device_specific: known.barred.has('deviceSpecific'),
    acpi: false,
    flr: mayFlr && facts?.flr === true,
    af_flr: mayFlr && facts?.afFlr === true,
    pm: facts?.power?.noSoftReset === false && (known.onRootBus || !known.barred.has('noPmReset')),
    bus: known.others === 0 && known.busReset === 'possible',
    cxl_bus: false,
  }
  return resetMethods.filter((method) => may[method])
}

function classify(
  device: PciDevice,
  usable: readonly ResetMethod[],
  known: Known,
  node: TopologyNode,
): ResetClass {
  if (usable.some((m) => m === 'flr' || m === 'af_flr' || m === 'device_specific' || m === 'acpi'))
    return 'function'
  // Every virtual function has FLR (PCIe 9.2.2.3), whatever a 64-byte image shows of it.
  if (node.physicalFunction) return 'function'
  const isStated = device.resetMethods !== undefined
  if (!isStated && (device.facts?.notAnswering || !isFunctionResetKnown(device, known))) return 'unknown'
  if (usable.includes('bus') || usable.includes('cxl_bus')) return 'bus'
  if (!isStated && known.busReset === 'unknown') return 'unknown'
  if (known.others > 0 && known.busReset === 'possible') return 'together'
  if (usable.includes('pm')) return 'power'
  return isStated || isPowerResetKnown(device, known) ? 'none' : 'unknown'
}

/** `lspci -v` names the capabilities that hold FLR and prints none of their bits; a kernel log names none. */
function isFunctionResetKnown({ facts }: PciDevice, { barred }: Known): boolean {
  return barred.has('noFlr') || (facts?.flr !== undefined && facts.afFlr !== undefined)
}

function isPowerResetKnown({ facts }: PciDevice, { barred, onRootBus }: Known): boolean {
  if (facts?.power === null || (barred.has('noPmReset') && !onRootBus)) return true
  return facts?.power?.noSoftReset !== undefined
}

/** By the number of other functions on the bus: thousands of functions state one of a few. */
const misleading = new Map<number, ResetNote>()

function misleadingBus(others: number): ResetNote {
  let note = misleading.get(others)
  if (note === undefined) {
    const beside = `${others} other ${others === 1 ? 'function' : 'functions'} on its bus`
    const why = others > 0 ? `${beside} will make the kernel refuse it` : 'the bus must not be reset'
    misleading.set(others, (note = { kind: 'misleadingBus', about: `reset_method lists bus, but ${why}` }))
  }
  return note
}

const noNotes: readonly ResetNote[] = []

function findNotes(device: PciDevice, kernel: Kernel | undefined, known: Known): readonly ResetNote[] {
  const isMisled =
    device.resetMethods?.includes('bus') === true && (known.others > 0 || known.busReset === 'refused')
  const ofBus = isMisled ? [misleadingBus(known.others)] : noNotes
  const rows = resetQuirksOf(device)
  const family = vendorResetFamily(device)
  if (rows.length === 0 && family === undefined) return ofBus
  const notes: ResetNote[] = [...ofBus]
  for (const row of rows) notes.push(noteOf(row, device, { kernel, known }))
  if (family)
    notes.push({ kind: 'vendorReset', about: `${family} GPUs often do not come back without vendor-reset` })
  return notes
}

function noteOf(
  row: ResetQuirk,
  device: PciDevice,
  on: { readonly kernel: Kernel | undefined; readonly known: Known },
): ResetNote {
  const holds = showsRow(row, device, on.known) ?? holdsFor(row.since, on.kernel)
  const note: Draft<ResetNote> = { kind: holds === false ? 'quirkMissing' : row.rule, about: row.about }
  if (row.since) note.sinceKernel = sinceWords(row.since)
  if (holds === undefined) note.inDoubt = true
  return note
}

/**
 * Whether the kernel's own list shows the row: better evidence than its version. A list that offers what the
 * row forbids shows that it is missing; one without it may have been limited by hand, which does the same.
 */
function showsRow(
  row: ResetQuirk,
  { resetMethods: stated }: PciDevice,
  { others }: Known,
): boolean | undefined {
  const { rule } = row
  if (stated === undefined) return undefined
  if (rule === 'noFlr') return !stated.includes('flr')
  if (row.since === undefined) return undefined
  if (rule === 'noBusReset' && others === 0) return !stated.includes('bus')
  return rule === 'deviceSpecific' ? stated.includes('device_specific') : undefined
}
