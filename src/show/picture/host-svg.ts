/**
 * A host as one self-contained SVG: root buses and ports, cards with their functions and verdicts, brackets
 * for IOMMU groups, and lines to the virtual machines that own devices. Light and dark by
 * prefers-color-scheme; no script, no font and no picture from elsewhere.
 */
import { escapeXml } from '../../base/escape.ts'
import type { Host } from '../../host/host.ts'
import type { Judgement, Verdict } from '../../judge/types.ts'
import { shortAddresses } from '../../judge/tree.ts'
import type { PciAddress } from '../../pci/address.ts'
import {
  layOutHost,
  size,
  type BusBox,
  type CardBox,
  type GroupBracket,
  type HostLayout,
  type Owners,
  type PortBox,
  type Row,
  type VmBox,
} from './host-rows.ts'
import { driverOf, iommuOf, machineOf, namesOf, titleOf, usesOf, whyOf } from './host-text.ts'
import { pictureStyle } from './picture-style.ts'
import { element, fit, text } from './svg.ts'

type Sheet = HostLayout & { readonly short: (address: PciAddress) => string }

export function renderHostSvg(host: Host, judgement: Judgement, owners: Owners = {}): string {
  const sheet: Sheet = { ...layOutHost(host, judgement, owners), short: shortAddresses(host.devices) }
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${Math.round(sheet.width)} ${Math.round(sheet.height)}`,
      class: 'hv',
      role: 'img',
      'aria-label': 'PCI devices of the host, their IOMMU groups and owners',
      width: '100%',
      style: `max-width:${Math.round(sheet.width)}px`,
    },
    element('style', {}, pictureStyle),
    element('rect', { class: 'sheet', x: 0, y: 0, width: sheet.width, height: sheet.height, rx: 12 }),
    text(machineOf(host) || 'host', { class: 'title', x: size.margin, y: 30 }),
    text(iommuOf(host), { class: 'muted', x: size.margin, y: 48 }),
    sheet.brackets.length > 0
      ? text('IOMMU groups', { class: 'muted', x: size.cardLeft + size.cardWidth + 12, y: 48 })
      : '',
    ...sheet.vms.map((vm) => drawWires(sheet, vm)),
    ...sheet.buses.map((bus) => drawBus(sheet, bus)),
    ...sheet.brackets.map((bracket) => drawBracket(bracket)),
    ...sheet.vms.map((vm) => drawVm(sheet, vm)),
    drawBoard(sheet),
    drawLegend(sheet),
  )
}

function drawBus(sheet: Sheet, bus: BusBox): string {
  const x = size.margin + 6
  return element(
    'g',
    {},
    text(`bus ${bus.name}`, { class: 'bus', x: size.margin, y: bus.y + 14 }),
    element('path', { class: 'rail', d: `M${x} ${bus.y + 22}V${bus.end}` }),
    ...bus.ports.map((port) => drawPort(sheet, port)),
    ...bus.cards.map(
      (card) =>
        element('path', { class: 'rail', d: `M${x} ${card.y + size.cardHead / 2}H${size.cardLeft}` }) +
        drawCard(sheet, card),
    ),
  )
}

function drawPort(sheet: Sheet, port: PortBox): string {
  const { device, x, y } = port
  const middle = y + size.portHeight / 2
  const width = size.portWidth - (x - size.portLeft)
  const slot = device.physicalSlot === undefined ? 'port' : `slot ${device.physicalSlot}`
  const link = device.link?.speed ?? device.link?.maxSpeed
  const lanes = device.link?.width ?? device.link?.maxWidth
  const facts = [slot, link === undefined ? undefined : `${link}${lanes ? ` ×${lanes}` : ''}`]
    .filter(Boolean)
    .join(' · ')
  return element(
    'g',
    {},
    element('path', {
      class: 'rail',
      d:
        `M${port.fromX} ` +
        `${Math.min(port.fromY + (port.fromX === size.margin + 6 ? 22 : 0), middle)}V${middle}H${x}`,
    }),
    element('rect', { class: 'port', x, y, width, height: size.portHeight, rx: 8 }),
    text(fit(sheet.short(device.address), width - 20, 13, 'mono'), { class: 'mono', x: x + 10, y: y + 17 }),
    text(fit(facts, width - 20, 11), { class: 'small', x: x + 10, y: y + 32 }),
    ...port.cards.map((card, index) => {
      const to = index === 0 ? middle : card.y + size.cardHead / 2
      const turn = size.cardLeft - 18
      return (
        element('path', { class: 'rail', d: `M${x + width} ${middle}H${turn}V${to}H${size.cardLeft}` }) +
        drawCard(sheet, card)
      )
    }),
  )
}

function drawCard(sheet: Sheet, box: CardBox): string {
  const { card, y, height } = box
  const [first] = card.functions
  const title = first ? titleOf(first) : ''
  const slot = card.functions.find((one) => one.physicalSlot !== undefined)?.physicalSlot
  return element(
    'g',
    {},
    element('rect', { class: 'card', x: size.cardLeft, y, width: size.cardWidth, height, rx: 10 }),
    text(fit(title, size.cardWidth - 28 - (slot ? 70 : 0), 13, 'bold'), {
      class: 'name',
      x: size.cardLeft + 14,
      y: y + 20,
    }),
    slot === undefined || card.onBoard
      ? ''
      : text(`slot ${fit(slot, 50, 11)}`, {
          class: 'small',
          x: size.cardLeft + size.cardWidth - 14,
          y: y + 20,
          'text-anchor': 'end',
        }),
    ...box.rows.map((row) => drawRow(sheet, row)),
    box.hidden > 0
      ? text(`and ${box.hidden} more functions`, {
          class: 'small',
          x: size.cardLeft + 34,
          y: y + height - 10,
        })
      : '',
  )
}

const marks: Readonly<Record<Verdict, string>> = {
  ready: 'M-4 0L-1 3L4 -3',
  caution: 'M0 -4V1M0 3.4V4',
  refused: 'M-3 -3L3 3M3 -3L-3 3',
  unknown: 'M-2.4 -2A2.5 2.5 0 1 1 0 .6V1.4M0 3.6V4',
}

function drawRow(sheet: Sheet, row: Row): string {
  const { device, judged, y } = row
  const verdict = judged?.verdict ?? 'unknown'
  const left = size.cardLeft + 14
  const address = sheet.short(device.address)
  const addressWidth = address.length * 8.1 + 14
  const uses = usesOf(device) || driverOf(device)
  return element(
    'g',
    { class: `row ${row.owner === undefined ? '' : 'owned'}` },
    element('title', {}, escapeXml(tipOf(row).slice(0, 1200))),
    element('rect', {
      class: 'hit',
      x: size.cardLeft + 4,
      y,
      width: size.cardWidth - 8,
      height: size.row - 2,
      rx: 6,
    }),
    element('circle', { class: `dot ${verdict}`, cx: left + 8, cy: y + 14, r: 8 }),
    element('path', { class: 'mark', transform: `translate(${left + 8} ${y + 14})`, d: marks[verdict] }),
    text(address, { class: 'mono', x: left + 26, y: y + 18 }),
    text(fit(uses, size.cardWidth - 60 - addressWidth, 12), {
      class: 'uses',
      x: left + 26 + addressWidth,
      y: y + 18,
    }),
    text(
      fit(whyOf(device, judged) || (usesOf(device) === '' ? '' : driverOf(device)), size.cardWidth - 60, 11),
      {
        class: `small ${verdict}-text`,
        x: left + 26,
        y: y + 34,
      },
    ),
  )
}

function tipOf({ device, judged }: Row): string {
  const head = `${device.address} ${titleOf(device)}: ${judged?.verdict ?? 'unknown'}`
  return [head, ...(judged?.reasons ?? []).map(({ message }) => message)].join('\n')
}

function drawBracket(bracket: GroupBracket): string {
  const x = size.cardLeft + size.cardWidth + 12 + bracket.lane * size.lane
  const top = (bracket.ys[0] ?? 0) - 12
  const bottom = (bracket.ys.at(-1) ?? 0) + 12
  const ticks = bracket.ys.map((y) => `M${x - 6} ${y}H${x}`).join('')
  const isShared = bracket.ys.length > 1
  const width = String(bracket.id).length * 7 + 6
  return element(
    'g',
    { class: isShared ? 'group shared' : 'group' },
    element('path', {
      class: 'bracket',
      d: `${isShared ? `M${x} ${top}V${bottom}` : `M${x} ${top + 4}V${bottom - 4}`}${ticks}`,
    }),
    element('rect', { class: 'badge', x: x + 3, y: (top + bottom) / 2 - 8, width: width, height: 16, rx: 4 }),
    text(String(bracket.id), {
      class: 'groupid',
      x: x + 3 + width / 2,
      y: (top + bottom) / 2 + 4,
      'text-anchor': 'middle',
    }),
  )
}

function vmLeft(sheet: Sheet): number {
  return sheet.width - size.margin - size.vmWidth
}

function drawWires(sheet: Sheet, vm: VmBox): string {
  const from = size.cardLeft + size.cardWidth
  const to = vmLeft(sheet)
  const bend = from + Math.max(sheet.lanes, 1) * size.lane + 40
  const wires = vm.rows.map((row, index) => {
    const y = row.y + size.row / 2
    const end = vm.y + 38 + index * size.vmRow
    return element('path', {
      class: 'wire',
      d: `M${from} ${y}H${bend}C${(bend + to) / 2 + 20} ${y} ${(bend + to) / 2 - 20} ${end} ${to} ${end}`,
    })
  })
  return element('g', { class: `vm${vm.index % 6}` }, ...wires)
}

function drawVm(sheet: Sheet, vm: VmBox): string {
  const x = vmLeft(sheet)
  return element(
    'g',
    { class: `vm${vm.index % 6}` },
    element('rect', { class: 'vm', x, y: vm.y, width: size.vmWidth, height: vm.height, rx: 10 }),
    text(fit(vm.name, size.vmWidth - 28, 14, 'bold'), { class: 'vmname', x: x + 14, y: vm.y + 21 }),
    ...vm.rows.map((row, index) =>
      text(
        fit(
          `${sheet.short(row.device.address)} ${namesOf(row.device) || titleOf(row.device)}`,
          size.vmWidth - 28,
          11,
        ),
        {
          class: 'small',
          x: x + 14,
          y: vm.y + 42 + index * size.vmRow,
        },
      ),
    ),
  )
}

function drawBoard(sheet: Sheet): string {
  if (sheet.board.length === 0) return ''
  const shown = sheet.board
    .slice(0, 8)
    .map((device) => sheet.short(device.address))
    .join(', ')
  const rest = sheet.board.length > 8 ? ` and ${sheet.board.length - 8} more` : ''
  return text(
    fit(`part of the board, stays with the host: ${shown}${rest}`, sheet.width - size.margin * 2, 11),
    {
      class: 'small',
      x: size.margin,
      y: sheet.boardY + 16,
    },
  )
}

function drawLegend(sheet: Sheet): string {
  const y = sheet.height - 16
  const words: readonly (readonly [Verdict, string])[] = [
    ['ready', 'can be given away'],
    ['caution', 'with a drawback'],
    ['refused', 'stays with the host'],
    ['unknown', 'not enough is known'],
  ]
  return element(
    'g',
    {},
    ...words.map(([verdict, label], index) => {
      const x = size.margin + 8 + index * 160
      return (
        element('circle', { class: `dot ${verdict}`, cx: x, cy: y - 4, r: 5 }) +
        text(label, { class: 'small', x: x + 12, y })
      )
    }),
  )
}
