/**
 * The default page of `inspect`: root buses, ports, the cards in them, what each function is used for and its
 * verdict.
 *
 *     bus 00
 *     ├─ 00:1c.0 root port, slot 2
 *     │  └─ 82574L Gigabit Network Connection [8086:10d3]
 *     │     └─ ✓ ready   01:00.0  group 5  e1000e  eth1 52:54:00:12:34:01
 */
import { countText, cut, wrap } from '../../base/text.ts'
import { clean } from '../../base/printable.ts'
import type { Host } from '../../host/host.ts'
import type { PciDevice } from '../../pci/device.ts'
import {
  isEmptyPort,
  isKnownToBeEmpty,
  shortAddresses,
  treeOf,
  type Card,
  type Port,
  type RootBus,
} from '../../judge/tree.ts'
import { briefWords } from '../../judge/reasons.ts'
import type { DeviceJudgement, Judgement, Reason } from '../../judge/types.ts'
import { attachedTexts, countsText, hostHead, kindText, nameText, verdictText } from './host-words.ts'
import type { Styler } from './style.ts'

export type TreeLook = { readonly style: Styler; readonly columns: number }

type Drawing = TreeLook & {
  readonly judged: ReadonlyMap<PciDevice['address'], DeviceJudgement>
  readonly short: (address: PciDevice['address']) => string
  readonly lines: string[]
}

/** A line of the tree with what stands below it, before the rails are drawn. */
type Branch = { readonly lines: readonly string[]; readonly below: readonly Branch[] }

export function renderHostTree(host: Host, judgement: Judgement, look: TreeLook): string {
  const tree = treeOf(host.devices)
  const judged = new Map(judgement.devices.map((one) => [one.address, one]))
  const drawing: Drawing = { ...look, judged, short: shortAddresses(host.devices), lines: [] }
  drawing.lines.push(...hostHead(host, judgement, look), '')
  for (const bus of tree.buses) drawBus(drawing, bus)
  const empty = tree.buses.reduce((sum, bus) => sum + countPorts(bus.ports, isKnownToBeEmpty), 0)
  const open = tree.buses.reduce((sum, bus) => sum + countPorts(bus.ports, isEmptyPort), 0) - empty
  if (tree.board.length > 0) drawing.lines.push(...boardLines(drawing, tree.board))
  if (empty > 0)
    drawing.lines.push(
      look.style.dim(`${countText(empty, 'port')} with nothing in ${empty === 1 ? 'it' : 'them'}`),
    )
  if (open > 0)
    drawing.lines.push(
      look.style.dim(
        `${countText(open, 'port')} of which the input does not say where ` +
          (open === 1 ? 'it leads' : 'they lead'),
      ),
    )
  const shown = judgement.devices.filter(({ reasons }) => !reasons.some(isOfTheBoard))
  drawing.lines.push(
    '',
    `${countText(shown.length, 'device')} that could be asked for: ${countsText(shown, look.style)}`,
  )
  return `${drawing.lines.join('\n')}\n`
}

function isOfTheBoard(reason: Reason): boolean {
  return reason.code === 'not-an-endpoint' || reason.code === 'host-chipset'
}

function drawBus(drawing: Drawing, bus: RootBus): void {
  const branches = [
    ...bus.ports.filter((port) => !isEmptyPort(port)).map((port) => portBranch(drawing, port, 1)),
    ...bus.cards.map((card) => cardBranch(drawing, card, 1)),
  ]
  if (branches.length === 0) return
  const name = bus.name.startsWith('0000:') ? bus.name.slice(5) : bus.name
  drawing.lines.push(drawing.style.bold(`bus ${name}`))
  drawBranches(drawing, branches, '')
  drawing.lines.push('')
}

function drawBranches(drawing: Drawing, branches: readonly Branch[], rail: string): void {
  branches.forEach((branch, index) => {
    const last = index === branches.length - 1
    const inner = `${rail}${last ? '   ' : '│  '}`
    const lead = `${rail}${last ? '└─ ' : '├─ '}`
    const under = `${inner}${branch.below.length > 0 ? '│  ' : '   '}`
    branch.lines.forEach((line, at) => drawing.lines.push(drawing.style.dim(at === 0 ? lead : under) + line))
    drawBranches(drawing, branch.below, inner)
  })
}

/** `depth` counts the rails before the line, three columns each. */
function portBranch(drawing: Drawing, port: Port, depth: number): Branch {
  const { device } = port
  const facts = [
    `${drawing.short(device.address)} ${kindText(device)}`,
    device.physicalSlot === undefined ? undefined : `slot ${clean(device.physicalSlot)}`,
    device.link?.maxSpeed === undefined
      ? undefined
      : `${device.link.maxSpeed} x${device.link.maxWidth ?? '?'}`,
  ]
  const below = [
    ...port.ports.filter((one) => !isEmptyPort(one)).map((one) => portBranch(drawing, one, depth + 1)),
    ...port.cards.map((card) => cardBranch(drawing, card, depth + 1)),
  ]
  return {
    lines: [drawing.style.dim(cut(facts.filter(Boolean).join(', '), drawing.columns - depth * 3))],
    below,
  }
}

/** More virtual functions than this are shown as a count: 64 equal lines say nothing more. */
const shownFunctions = 12

function cardBranch(drawing: Drawing, card: Card, depth: number): Branch {
  const [first] = card.functions
  if (!first) return { lines: [], below: [] }
  const slot = card.functions.find((one) => one.physicalSlot !== undefined)?.physicalSlot
  const place = slot === undefined || card.onBoard ? '' : ` slot ${cut(clean(slot), 12)}`
  const title = cut(nameText(first), drawing.columns - depth * 3 - place.length)
  const heading = drawing.style.bold(title) + drawing.style.dim(place)
  const functions = card.functions.slice(0, shownFunctions)
  const below = functions.map((one) =>
    functionBranch(drawing, one, {
      depth: depth + 1,
      name: one === first ? undefined : differentName(first, one),
    }),
  )
  const rest = card.functions.length - functions.length
  if (rest > 0)
    below.push({ lines: [drawing.style.dim(`and ${countText(rest, 'more function')} alike`)], below: [] })
  return { lines: [heading], below }
}

function differentName(first: PciDevice, other: PciDevice): string | undefined {
  const isSameKind = first.vendorId === other.vendorId && first.deviceId === other.deviceId
  // Named by its ids: no need to make the same words again.
  if (isSameKind && first.name !== undefined && first.name === other.name) return undefined
  const name = nameText(other)
  return nameText(first) === name ? undefined : name
}

function functionBranch(
  drawing: Drawing,
  device: PciDevice,
  { depth, name }: { readonly depth: number; readonly name: string | undefined },
): Branch {
  const judged = drawing.judged.get(device.address)
  const group = device.iommuGroup
  const facts = [
    drawing.short(device.address),
    typeof group === 'number' ? `group ${group}` : undefined,
    device.driver ? clean(device.driver) : device.driver === null ? 'no driver' : undefined,
  ]
  // Rails before the line, the indent below it, and two spaces of its own; a very deep tree still gets some
  // room.
  const width = Math.max(30, drawing.columns - depth * 3 - 5)
  const lines = [
    `${verdictText(judged?.verdict ?? 'unknown', drawing.style)}  ` +
      cut(facts.filter(Boolean).join('  '), width - 10),
  ]
  const attached = attachedTexts(device)
  if (name !== undefined) lines.push(`  ${cut(name, width)}`)
  for (const text of attached.slice(0, 4)) lines.push(`  ${cut(text, width)}`)
  if (attached.length > 4) lines.push(`  and ${countText(attached.length - 4, 'more')}`)
  for (const reason of shownReasons(judged)) {
    for (const line of wrap(clean(briefWords(reason, device.address)), width))
      lines.push(drawing.style.dim(`  ${line}`))
  }
  return { lines, below: [] }
}

/** Codes of findings about the whole host: they stand once below, not at each device. */
const hostWide = new Set([
  'iommu-off',
  'iommu-absent',
  'iommu-off-in-firmware',
  'input-incomplete',
  'two-machines',
  'no-interrupt-remapping',
])

function shownReasons(judged: DeviceJudgement | undefined): readonly Reason[] {
  const level = judged?.verdict === 'refused' ? ['error'] : ['error', 'warning']
  return (judged?.reasons ?? []).filter(
    (reason) => level.includes(reason.severity) && !hostWide.has(reason.code),
  )
}

function boardLines(drawing: Drawing, board: readonly PciDevice[]): string[] {
  const addresses = board.slice(0, 4).map((device) => drawing.short(device.address))
  const rest = board.length - addresses.length
  const text =
    'part of the board, stays with the host: ' +
    `${addresses.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
  return wrap(text, drawing.columns).map(drawing.style.dim)
}

function countPorts(ports: readonly Port[], isCounted: (port: Port) => boolean): number {
  return ports.reduce((sum, port) => sum + (isCounted(port) ? 1 : 0) + countPorts(port.ports, isCounted), 0)
}
