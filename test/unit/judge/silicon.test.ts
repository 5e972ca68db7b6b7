/** What is part of the board or the processor, on whatever bus, and what only sounds like it. */
import { describe, expect, it } from 'vitest'
import { siliconOf } from '../../../src/judge/silicon.ts'
import type { PciDevice } from '../../../src/pci/device.ts'
import { at } from '../../support/host-builder.ts'

type Row = readonly [string, string, string]

const read = ([ids, classCode, name]: Row, address = '5e:00.0'): PciDevice => {
  const [vendorId = '', deviceId = ''] = ids.split(':')
  return { address: at(address), classCode: `${classCode}00`, vendorId, name, ...(deviceId && { deviceId }) }
}

describe('silicon of the board, behind a port or on any bus', () => {
  it.each<Row>([
    ['8086:3406', '0600', 'host bridge'],
    ['1022:1483', '0600', 'dummy host bridge'],
    ['8086:7a04', '0601', 'LPC bridge'],
    ['1002:4385', '0c05', 'SMBus of an old AMD board'],
    ['8086:7ae0', '0780', 'management engine'],
    ['8086:7a68', '0780', 'HECI'],
    ['8086:a363', '0700', 'serial port of the management engine'],
    ['8086:8cbc', '0101', 'IDE redirection'],
    ['8086:54fc', '0700', 'integrated sensor hub'],
    ['8086:9dfc', '0000', 'integrated sensor hub without a class'],
    ['8086:a369', '0c80', 'serial I/O'],
    ['8086:54a4', '0c80', 'SPI flash'],
    ['8086:a2b1', '1180', 'thermal subsystem'],
    ['8086:467d', '1180', 'crash log and telemetry'],
    ['8086:a2a0', '0580', 'P2SB'],
    ['8086:2f20', '0880', 'DMA channel'],
    ['8086:3cb8', '0880', 'memory controller of a socket'],
    ['8086:3450', '0880', 'uncore'],
    ['8086:2f34', '1101', 'performance monitor'],
    ['8086:0b23', '0807', 'event collector'],
    ['8086:8d7c', 'ff00', 'SPSR'],
    ['8086:464f', '0880', 'GNA'],
    ['8086:09ab', '0880', 'VMD placeholder'],
    ['1022:14ca', '1080', 'security processor'],
    ['1022:1498', '1080', 'PTDMA'],
    ['1022:14ac', '1300', 'dummy function'],
    ['1022:164a', '1180', 'sensor hub'],
    ['1d94:1456', '1080', 'security processor of a Hygon'],
    ['106b:1802', '0000', 'T2'],
    ['1c5c:2921', '0502', 'CXL memory'],
    ['103c:3302', '0c07', 'IPMI interface'],
  ])('%s %s %s', (...row) => {
    expect(siliconOf(read(row))).toBeDefined()
    expect(siliconOf({ ...read(row), path: '0000:5d/02.0/00.0' })).toBeDefined()
  })

  it('is told by maker and class where the listing has no device id', () => {
    expect(siliconOf(read(['1022:', '1080', 'Some CCP/ASP']))?.what).toBe('security processor')
    expect(siliconOf(read(['8086:', '0880', 'RST VMD Managed Controller']))).toBeDefined()
  })
})

describe('cards and devices', () => {
  it.each<Row>([
    ['1ac1:089a', '0880', 'accelerator of class system peripheral'],
    ['10ee:903f', '0580', 'FPGA of class memory controller'],
    ['10b5:9056', '0680', 'bus bridge of a capture card'],
    ['10b5:9080', '0880', 'data acquisition card'],
    ['12ab:0380', 'ff00', 'capture card'],
    ['10ec:525a', 'ff00', 'card reader'],
    ['1217:8520', '0805', 'SD host'],
    ['8086:a375', '0805', 'eMMC of the chipset: disks may hang on it'],
    ['13a8:0358', '0700', 'serial card'],
    ['14a1:0008', '0780', 'modem card'],
    ['8086:15eb', '0880', 'Thunderbolt interface'],
    ['8086:', '0880', 'JHL6540 Thunderbolt 3 NHI (C step)'],
    ['8086:0b25', '0880', 'data streaming accelerator'],
    ['8086:1216', '0880', 'analytics accelerator'],
    ['8086:', '0880', 'In-Memory Analytics Accelerator'],
    ['8086:7d1d', '1200', 'neural processor'],
    ['1022:1502', '1180', 'neural processor'],
    ['1022:', '1180', 'Strix Neural Processing Unit'],
    ['8086:37c8', '0b40', 'QuickAssist'],
    ['10de:1ad9', '0c80', 'USB-C serial bus of a graphics card'],
    ['1022:145f', '0c03', 'USB of a processor'],
    ['1022:15e3', '0403', 'sound of a processor'],
    ['19e5:a250', '1200', 'compression engine'],
  ])('%s %s %s', (...row) => {
    expect(siliconOf(read(row))).toBeUndefined()
  })

  it('are of the board when a maker’s own classes sit on a root bus', () => {
    const row: Row = ['10ee:903f', '0580', 'memory controller']
    expect(siliconOf({ ...read(row), path: '0000:5e/00.0' })).toBeDefined()
    expect(siliconOf(read(row, '00:05.0'))).toBeDefined()
    expect(siliconOf({ ...read(row), path: '0000:5d/02.0/00.0' })).toBeUndefined()
    // A listing without the bridge above says nothing of the bus.
    expect(siliconOf(read(['10de:1ad9', '0c80', 'USB-C'], '0a:00.3'))).toBeUndefined()
  })
})
