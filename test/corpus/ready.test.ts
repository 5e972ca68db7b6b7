/**
 * Every device of every recorded machine that is called ready, printed with its name for people to read. None
 * is a part of the board or the processor, by a list of ids and names that is written here and not taken from
 * the product.
 */
import { expect, test } from 'vitest'
import { nameDevices, openPciIdsFrom } from '../../src/host/read/name-devices.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { judgeHost } from '../../src/judge/judge.ts'
import { isBridge, type PciDevice } from '../../src/pci/device.ts'
import { corpusItems, hasCorpus, readItem } from './corpus.ts'

/** Parts of the board by what pci.ids calls them, in whatever input the name came from. */
const names = [
  /\bhost bridge\b|root complex|data fabric|dummy (?:host bridge|function)|reserved s[ps]p/i,
  /\b(?:LPC|eSPI|ISA bridge|P2SB|PMC|SMBus|SPI (?:flash )?controller|GPIO|HSUART|LPSS|serial ?io)\b/i,
  /\b(?:HECI|MEI|CSME|management engine|AMT|SOL|KT redirection|IDE-?r(?:edirection)?)\b/i,
  /\b(?:thermal|telemetry|crash ?log|trace hub|sensor (?:fusion )?hub|shared SRAM|GNA|gaussian|scoring)\b/i,
  /platform security|\bPSP\b|\bCCP\b|cryptographic coprocessor|secure enclave|T2 bridge/i,
  /uncore|ubox|home agent|unicast|ring agent|QPI|QuickPath|\bUPI\b|\bKTI\b|memory controller|memory map|VT-d|mesh/i,
  /\b(?:CHA|IOAPIC|I\/O APIC|IOxAPIC|IMC|PCU|power control|DDRIO|RAS|M2PCI|M3KTI|R2PCIe|MROM|SPSR)\b/,
  /\b(?:CBDMA|PTDMA|I\/OAT|QuickData|DMA (?:channel|engine|interface))\b/i,
  /\bCXL\b|event collector|performance (?:counter|monitor)|VMD managed|iLO|integrated lights-out|ASPEED|IPMI/i,
]

/** Names that sound like the board and are a device somebody may want, each with its reason. */
const cards = [
  // The word is in the name of the drive's controller.
  /non-volatile memory controller|NVMe/i,
  // Accelerators of the processor, as its graphics are.
  /neural processing|\bNPU\b/i,
]

/**
 * `vendor`, `vendor:class` and `vendor:device` as prefixes of ids: what has no name in an old list of names.
 */
const idsOfTheBoard: readonly (readonly [string, RegExp])[] = [
  ['8086', /^(?:0[56]|0700|0780|0[8](?!05)|0c05|0c80|1101|1180|ff00|0000)/],
  ['1022', /^(?:0[56]|08(?!05)|0c05|0c80|1080|1300|0000)/],
  ['1d94', /^(?:0[56]|08(?!05)|0c05|1080|1300)/],
  ['1a03', /./],
  ['106b', /^0000/],
]

/** Thunderbolt interfaces say of themselves that they are system peripherals: a device of their own. */
const interfaces = /thunderbolt|\bNHI\b/i
const interfaceIds = /^(?:15(?:13|1a|1b|4[7-9]|66|68|6a|6c|75|77|7d|bf|d2|d9|e8|eb)|1137|8a0d|8a17)$/

function isOfTheBoard({ name = '', vendorId, deviceId, classCode = '' }: PciDevice): boolean {
  if (/^(?:06|0502|0806|0807|1101)/.test(classCode)) return true
  if (interfaces.test(name) || cards.some((pattern) => pattern.test(name))) return false
  if (vendorId === '8086' && interfaceIds.test(deviceId ?? '')) return false
  if (vendorId === '1022' && deviceId !== undefined && /^(?:1502|17f0)$/.test(deviceId)) return false
  const rows = idsOfTheBoard.filter(([vendor]) => vendor === vendorId)
  return rows.some(([, classes]) => classes.test(classCode)) || names.some((pattern) => pattern.test(name))
}

test.skipIf(!hasCorpus && process.env['CI'] !== 'true')(
  'nothing that is part of the board is called ready on any recorded machine (needs ../shared/corpus)',
  () => {
    const lines: string[] = []
    const wrong: string[] = []
    let machines = 0
    const ids = openPciIdsFrom(linuxSystem())
    for (const item of corpusItems()) {
      const reading = readItem(item)
      if (!reading.ok) continue
      machines += 1
      const host = nameDevices(reading.host, ids)
      const verdicts = new Map(judgeHost(host).devices.map(({ address, verdict }) => [address, verdict]))
      for (const device of host.devices) {
        const verdict = verdicts.get(device.address)
        if (verdict !== 'ready' && verdict !== 'caution') continue
        const { address, vendorId = '?', deviceId = '?', classCode = '', name = '' } = device
        const line = `${item.id} ${address} ${classCode.slice(0, 4)} ${vendorId}:${deviceId} ${name}`
        if (isBridge(device) || isOfTheBoard(device)) wrong.push(`${verdict} ${line}`)
        if (verdict === 'ready') lines.push(line)
      }
    }
    console.log([`${lines.length} ready devices on ${machines} machines`, ...lines].join('\n'))
    expect(wrong).toEqual([])
    expect(machines).toBeGreaterThan(80)
    expect(lines.length).toBeGreaterThan(40)
  },
)
