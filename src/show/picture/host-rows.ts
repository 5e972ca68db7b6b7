/**
 * What the picture of a host shows, as rows with places: ports on the left, cards with their functions,
 * brackets for IOMMU groups, virtual machines on the right. Pure geometry; host-svg.ts draws it.
 */
import type { Host } from '../../host/host.ts'
import type { PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { isEmptyPort, treeOf, type Card, type Port } from '../../judge/tree.ts'
import type { DeviceJudgement, Judgement } from '../../judge/types.ts'

/** Address → name of the virtual machine that owns it. */
export type Owners = Readonly<Record<string, string>>

export const size = {
  margin: 24,
  head: 64,
  portLeft: 44,
  portWidth: 172,
  portHeight: 40,
  indent: 22,
  cardLeft: 262,
  cardWidth: 500,
  cardHead: 30,
  row: 42,
  gap: 16,
  lane: 18,
  laneHeading: 90,
  vmWidth: 190,
  vmRow: 22,
} as const

export type Row = {
  readonly device: PciDevice
  readonly judged: DeviceJudgement | undefined
  readonly y: number
  readonly owner: string | undefined
}
export type CardBox = {
  readonly card: Card
  readonly y: number
  readonly height: number
  readonly rows: readonly Row[]
  readonly hidden: number
}
export type PortBox = {
  readonly device: PciDevice
  readonly x: number
  readonly y: number
  readonly fromX: number
  readonly fromY: number
  readonly cards: readonly CardBox[]
}
export type BusBox = {
  readonly name: string
  readonly y: number
  readonly end: number
  readonly ports: readonly PortBox[]
  readonly cards: readonly CardBox[]
}
export type GroupBracket = { readonly id: number; readonly lane: number; readonly ys: readonly number[] }
export type VmBox = {
  readonly name: string
  readonly index: number
  readonly y: number
  readonly height: number
  readonly rows: readonly Row[]
}

export type HostLayout = {
  readonly width: number
  readonly height: number
  readonly buses: readonly BusBox[]
  readonly brackets: readonly GroupBracket[]
  readonly lanes: number
  readonly vms: readonly VmBox[]
  readonly board: readonly PciDevice[]
  readonly boardY: number
}

/** A card with 64 virtual functions is one card; a server with thousands of functions is still a picture. */
const rowsPerCard = 8
const cardsInAll = 200

type Pen = {
  y: number
  cards: number
  readonly judged: ReadonlyMap<PciAddress, DeviceJudgement>
  readonly owners: Owners
}

export function layOutHost(host: Host, judgement: Judgement, owners: Owners): HostLayout {
  const tree = treeOf(host.devices)
  const judged = new Map(judgement.devices.map((one) => [one.address, one]))
  const pen: Pen = { y: size.head, cards: 0, judged, owners }
  const buses: BusBox[] = []
  for (const bus of tree.buses) {
    const used = bus.ports.filter((port) => !isEmptyPort(port))
    if (used.length === 0 && bus.cards.length === 0) continue
    const y = pen.y
    pen.y += 30
    const ports = used.flatMap((port) => placePort(pen, port, 0, { x: size.margin + 6, y }))
    const cards = bus.cards.flatMap((card) => placeCard(pen, card) ?? [])
    const lastY = Math.max(
      y,
      ...ports.filter((port) => port.fromX === size.margin + 6).map((port) => port.y + size.portHeight / 2),
      ...cards.map((card) => card.y + size.cardHead / 2),
    )
    buses.push({ name: bus.name, y, end: lastY, ports, cards })
    pen.y += size.gap
  }
  const rows = buses
    .flatMap((bus) => [...bus.ports.flatMap((port) => port.cards), ...bus.cards])
    .flatMap((card) => card.rows)
  const { brackets, lanes } = placeBrackets(rows, judgement)
  const vms = placeVms(rows)
  const boardY = pen.y
  const vmBottom = Math.max(0, ...vms.map((vm) => vm.y + vm.height))
  // Never narrower than the heading above the lanes, `IOMMU groups`.
  const laneEnd = size.cardLeft + size.cardWidth + 12 + Math.max(lanes * size.lane + 40, size.laneHeading)
  return {
    width: laneEnd + (vms.length > 0 ? 70 + size.vmWidth : 0) + size.margin,
    height: Math.max(boardY + (tree.board.length > 0 ? 40 : 8), vmBottom + size.gap) + 34,
    buses,
    brackets,
    lanes,
    vms,
    board: tree.board,
    boardY,
  }
}

function placePort(pen: Pen, port: Port, depth: number, from: { x: number; y: number }): PortBox[] {
  const x = size.portLeft + Math.min(depth, 4) * size.indent
  const y = pen.y
  const cards = port.cards.flatMap((card) => placeCard(pen, card) ?? [])
  pen.y = Math.max(pen.y, y + size.portHeight + size.gap)
  const own: PortBox = { device: port.device, x, y, fromX: from.x, fromY: from.y, cards }
  const used = port.ports.filter((one) => !isEmptyPort(one))
  return [
    own,
    ...used.flatMap((one) => placePort(pen, one, depth + 1, { x: x + 10, y: y + size.portHeight })),
  ]
}

function placeCard(pen: Pen, card: Card): CardBox | undefined {
  if (++pen.cards > cardsInAll) return undefined
  // What a VM owns is always shown, however many functions a card has.
  const owned = card.functions.filter((device) => pen.owners[device.address] !== undefined)
  const others = card.functions.filter((device) => pen.owners[device.address] === undefined)
  const shown = new Set([...owned, ...others.slice(0, Math.max(1, rowsPerCard - owned.length))])
  const y = pen.y
  const rows = card.functions
    .filter((device) => shown.has(device))
    .map((device, index): Row => {
      return {
        device,
        judged: pen.judged.get(device.address),
        y: y + size.cardHead + index * size.row,
        owner: pen.owners[device.address],
      }
    })
  const hidden = card.functions.length - rows.length
  const height = size.cardHead + rows.length * size.row + (hidden > 0 ? 20 : 0) + 6
  pen.y += height + size.gap
  return { card, y, height, rows, hidden }
}

/** One bracket per group, in the leftmost lane where it meets no other. */
function placeBrackets(
  rows: readonly Row[],
  judgement: Judgement,
): { brackets: GroupBracket[]; lanes: number } {
  const yOf = new Map(rows.map((row) => [row.device.address, row.y + size.row / 2]))
  const laneEnds: number[] = []
  const brackets: GroupBracket[] = []
  const drawn = judgement.groups.flatMap((group) => {
    const ys = group.devices.flatMap((address) => yOf.get(address) ?? []).sort((a, b) => a - b)
    return ys.length === 0 ? [] : [{ id: group.id, ys }]
  })
  for (const { id, ys } of drawn.sort((a, b) => (a.ys[0] ?? 0) - (b.ys[0] ?? 0))) {
    const top = (ys[0] ?? 0) - size.row / 2
    let lane = laneEnds.findIndex((end) => end <= top)
    if (lane < 0) lane = laneEnds.length
    laneEnds[lane] = (ys.at(-1) ?? 0) + size.row / 2
    brackets.push({ id, lane, ys })
  }
  return { brackets, lanes: laneEnds.length }
}

/** Each beside the middle of what it owns, pushed down where two would overlap. */
function placeVms(rows: readonly Row[]): VmBox[] {
  const owned = new Map<string, Row[]>()
  for (const row of rows) {
    if (row.owner === undefined) continue
    const list = owned.get(row.owner)
    if (list) list.push(row)
    else owned.set(row.owner, [row])
  }
  const boxes = [...owned].map(([name, own], index) => {
    const height = 40 + own.length * size.vmRow
    const middle = own.reduce((sum, row) => sum + row.y + size.row / 2, 0) / own.length
    return { name, index, y: middle - height / 2, height, rows: own }
  })
  let free = size.head
  return boxes
    .sort((a, b) => a.y - b.y)
    .map((box) => {
      const y = Math.max(free, box.y)
      free = y + box.height + size.gap
      return { ...box, y }
    })
}
