/**
 * Turns the words of a capability in `lspci -v` and `-vv` into FunctionFacts. The grammar is that of
 * pciutils' ls-caps.c and ls-ecaps.c, with older spellings.
 */
import { defined } from '../../base/defined.ts'
import { type AcsFacts, acsFlag, type PortType } from '../../pci/facts.ts'
import { factsOf, type DeviceDraft } from './draft.ts'

export type Capability = {
  readonly name: 'express' | 'acs' | 'sriov' | 'power' | 'af' | 'vpd' | 'rebar' | 'other'
  /** The last key, such as `DevCap`, which also applies to continuation lines. */
  section: string
}

/** A longer name comes before a shorter one with the same beginning. */
const portTypes: readonly (readonly [string, PortType])[] = [
  ['Root Complex Integrated Endpoint', 'rootComplexEndpoint'],
  ['Root Complex Event Collector', 'rootComplexEventCollector'],
  ['PCI-Express to PCI/PCI-X Bridge', 'pcieToPciBridge'],
  ['PCI/PCI-X to PCI-Express Bridge', 'pciToPcieBridge'],
  ['PCI-Express to PCI Bridge', 'pcieToPciBridge'],
  ['PCI to PCI-Express Bridge', 'pciToPcieBridge'],
  ['Legacy Endpoint', 'legacyEndpoint'],
  ['Endpoint', 'endpoint'],
  ['Root Port', 'rootPort'],
  ['Upstream Port', 'upstreamPort'],
  ['Downstream Port', 'downstreamPort'],
]

export function startCapability(device: DeviceDraft, offset: number, words: string): Capability {
  const facts = factsOf(device)
  const express = offset < 0x100 ? /^Express (?:\(v\d{1,2}\) )?(.*)$/.exec(words) : null
  if (express) {
    const type = portTypes.find(([text]) => (express[1] ?? '').startsWith(text))?.[1]
    if (type !== undefined) device.portType = facts.portType = type
    return { name: 'express', section: '' }
  }
  if (words.startsWith('Access Control Services')) {
    facts.acs ??= {}
    return { name: 'acs', section: '' }
  }
  if (words.startsWith('Single Root I/O Virtualization')) return { name: 'sriov', section: '' }
  if (words.startsWith('Power Management')) {
    facts.power ??= {}
    return { name: 'power', section: '' }
  }
  if (words.startsWith('PCI Advanced Features')) return { name: 'af', section: '' }
  if (words.startsWith('Vital Product Data')) {
    facts.vpd = true
    return { name: 'vpd', section: '' }
  }
  if (/^(?:Physical |VF )?Resizable BAR/.test(words)) {
    if (!words.startsWith('VF')) facts.resizableBar = true
    return { name: 'rebar', section: '' }
  }
  readSingleLine(device, words)
  return { name: 'other', section: '' }
}

function readSingleLine(device: DeviceDraft, words: string): void {
  const facts = factsOf(device)
  const msix = /^MSI-X: .*\b(?:Count|TabSize)=(\d{1,5})/.exec(words)
  if (msix) facts.msixVectors = Number(msix[1])
  const msi = /^(?:MSI|Message Signalled Interrupts): .*\b(?:Count|Queue)=\d{1,3}\/(\d{1,3})/.exec(words)
  // Before pciutils 3 the queue size was printed as a power of two.
  if (msi) facts.msiVectors = words.includes('Queue=') ? 2 ** Math.min(Number(msi[1]), 5) : Number(msi[1])
  const serial = /^Device Serial Number ((?:[0-9a-f]{2}-){7}[0-9a-f]{2})/i.exec(words)?.[1]
  if (serial !== undefined) {
    const digits = serial.replaceAll('-', '').toLowerCase()
    if (!/^(?:0{16}|f{16})$/.test(digits)) device.deviceSerialNumber = digits
  }
  if (words.startsWith('Alternative Routing-ID Interpretation')) facts.ari = true
}

/** Reads a line inside a capability. False if nothing of it is used. */
export function readCapabilityLine(device: DeviceDraft, capability: Capability, text: string): boolean {
  const key = /^([A-Z][A-Za-z0-9]{1,11}):/.exec(text)?.[1]
  if (key !== undefined) capability.section = key
  switch (capability.name) {
    case 'express':
      return readExpress(device, capability.section, text)
    case 'acs':
      return readAcs(device, capability.section, text)
    case 'sriov':
      return readSriov(device, text)
    case 'power':
      return readPower(device, text)
    case 'af':
      return readAdvancedFeatures(device, text)
    case 'vpd':
      return readVpd(device, text)
    case 'rebar':
    case 'other':
      return false
  }
}

function readExpress(device: DeviceDraft, section: string, text: string): boolean {
  if (section === 'DevCap') {
    // FLReset is on the second line of an endpoint; ports have none.
    const flr = /\bFLReset([+-])/.exec(text)
    if (flr) factsOf(device).flr = flr[1] === '+'
    return true
  }
  if (text.startsWith('LnkCap:') || text.startsWith('LnkSta:')) {
    readLink(device, text)
    return true
  }
  const slot = section === 'SltCap' ? /\bSlot #(\d{1,5})\b/.exec(text)?.[1] : undefined
  if (slot !== undefined) factsOf(device).slotNumber = Number(slot)
  return slot !== undefined
}

function readLink(device: DeviceDraft, text: string): void {
  const speed = /\bSpeed (\d{1,3}(?:\.\d)?)GT\/s/.exec(text)?.[1]
  const width = /\bWidth x(\d{1,2})\b/.exec(text)?.[1]
  const words = speed === undefined ? undefined : `${speed.includes('.') ? speed : `${speed}.0`} GT/s`
  const best = text.startsWith('LnkCap:')
  device.link = {
    ...device.link,
    ...(words === undefined ? {} : best ? { maxSpeed: words } : { speed: words }),
    ...(width === undefined ? {} : best ? { maxWidth: Number(width) } : { width: Number(width) }),
  }
}

const acsNames: Readonly<Record<string, number>> = {
  SrcValid: acsFlag.sourceValidation,
  TransBlk: acsFlag.translationBlocking,
  ReqRedir: acsFlag.requestRedirect,
  CmpltRedir: acsFlag.completionRedirect,
  UpstreamFwd: acsFlag.upstreamForwarding,
  EgressCtrl: acsFlag.egressControl,
  DirectTrans: acsFlag.directTranslated,
}

/**
 * `ACSCap: SrcValid+ TransBlk- ReqRedir+ …`; a mail may have wrapped the last flags to a line of their own.
 */
function readAcs(device: DeviceDraft, section: string, text: string): boolean {
  if (section !== 'ACSCap' && section !== 'ACSCtl') return false
  const facts = factsOf(device)
  const old: AcsFacts = facts.acs ?? {}
  let bits = (section === 'ACSCap' ? old.capability : old.control) ?? 0
  for (const [, name = '', sign] of text.matchAll(/\b([A-Z][A-Za-z]{5,12})([+-])/g))
    if (sign === '+') bits |= acsNames[name] ?? 0
  facts.acs = section === 'ACSCap' ? { ...old, capability: bits } : { ...old, control: bits }
  return true
}

function readSriov(device: DeviceDraft, text: string): boolean {
  const facts = factsOf(device)
  const counts = /Total VFs: (\d{1,5}), Number of VFs: (\d{1,5})/.exec(text)
  if (counts) {
    const [totalVfs, numVfs] = [Number(counts[1]), Number(counts[2])]
    facts.sriov = { ...facts.sriov, totalVfs, numVfs }
    device.sriov = { totalVfs, numVfs }
    return true
  }
  const layout = /VF offset: (\d{1,5}), stride: (\d{1,5})(?:, Device ID: ([0-9a-f]{4}))?/i.exec(text)
  if (!layout || !facts.sriov) return false
  facts.sriov = {
    ...facts.sriov,
    firstVfOffset: Number(layout[1]),
    vfStride: Number(layout[2]),
    ...defined({ vfDeviceId: layout[3]?.toLowerCase() }),
  }
  return true
}

function readPower(device: DeviceDraft, text: string): boolean {
  const status = /^Status: (D[0-3])(?:hot)?\b/.exec(text)
  if (!status) return false
  const noSoftReset = /\bNoSoftRst([+-])/.exec(text)?.[1]
  const state = status[1]
  factsOf(device).power = {
    ...(noSoftReset === undefined ? {} : { noSoftReset: noSoftReset === '+' }),
    ...(state === 'D0' || state === 'D1' || state === 'D2' ? { state } : { state: 'D3hot' as const }),
  }
  return true
}

function readAdvancedFeatures(device: DeviceDraft, text: string): boolean {
  if (!text.startsWith('AFCap:')) return false
  factsOf(device).afFlr = /\bTP\+/.test(text) && /\bFLR\+/.test(text)
  return true
}

function readVpd(device: DeviceDraft, text: string): boolean {
  const serial = /^\[SN\] Serial number: (\S.{0,62})$/i.exec(text)?.[1]
  if (serial !== undefined) device.vpdSerial = serial.trim()
  return serial !== undefined
}
