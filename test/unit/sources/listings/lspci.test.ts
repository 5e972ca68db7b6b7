/** lspci in its verbosities: what is stated is there, what is silent is absent or null, as the run allows. */
import { describe, expect, test } from 'vitest'
import { deviceOf, readText } from './reading.ts'

const verbose = `00:1c.0 PCI bridge [0604]: Acme Corp Root Port #1 [1aaa:0c10] (rev f0) (prog-if 00 [Normal decode])
	Subsystem: Acme Corp Board [1aaa:0101]
	Physical Slot: 3
	Control: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx+
	Status: Cap+ 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-
	Latency: 0, Cache Line Size: 64 bytes
	Interrupt: pin A routed to IRQ 122
	NUMA node: 1
	IOMMU group: 4
	Bus: primary=00, secondary=02, subordinate=03, sec-latency=0
	Memory behind bridge: f7d00000-f7dfffff [size=1M] [32-bit]
	Capabilities: [40] Express (v2) Root Port (Slot+), IntMsgNum 0
		DevCap:	MaxPayload 256 bytes, PhantFunc 0
			ExtTag- RBE+
		DevCtl:	CorrErr- NonFatalErr- FatalErr- UnsupReq-
			RlxdOrd- ExtTag- PhantFunc- AuxPwr- NoSnoop- FLReset-
		LnkCap:	Port #1, Speed 8GT/s, Width x4, ASPM L1, Exit Latency L1 <16us
		LnkSta:	Speed 2.5GT/s (downgraded), Width x1 (downgraded)
		SltCap:	AttnBtn- PwrCtrl- MRL- AttnInd- PwrInd- HotPlug- Surprise-
			Slot #7, PowerLimit 25W; Interlock- NoCompl+
	Capabilities: [80] MSI: Enable+ Count=1/2 Maskable- 64bit-
		Address: fee00278  Data: 0000
	Capabilities: [a0] Power Management version 3
		Flags: PMEClk- DSI- D1- D2- AuxCurrent=0mA PME(D0+,D1-,D2-,D3hot+,D3cold+)
		Status: D0 NoSoftRst+ PME-Enable- DSel=0 DScale=0 PME-
	Capabilities: [140 v1] Access Control Services
		ACSCap:	SrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-
		ACSCtl:	SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-
	Kernel driver in use: pcieport

02:00.0 Ethernet controller [0200]: Acme Corp Fast NIC [1aaa:15f3] (rev 03)
	Subsystem: Acme Corp Fast NIC [1aaa:0005]
	Control: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx+
	IOMMU group: 5
	Region 0: Memory at f7d00000 (32-bit, non-prefetchable) [size=128K]
	Region 2: I/O ports at e000 [disabled] [size=32]
	Region 4: Memory at 383fe0000000 (64-bit, prefetchable) [size=2G]
	Expansion ROM at f7d40000 [virtual] [disabled] [size=64K]
	Capabilities: [50] Power Management version 3
		Status: D3 NoSoftRst- PME-Enable- DSel=0 DScale=1 PME-
	Capabilities: [70] MSI-X: Enable+ Count=5 Masked-
		Vector table: BAR=4 offset=00000000
	Capabilities: [a0] Express (v2) Endpoint, MSI 00
		DevCap:	MaxPayload 512 bytes, PhantFunc 0, Latency L0s <512ns, L1 <64us
			ExtTag- AttnBtn- AttnInd- PwrInd- RBE+ FLReset+ SlotPowerLimit 0W
		DevCtl:	CorrErr- NonFatalErr- FatalErr- UnsupReq-
			RlxdOrd+ ExtTag- PhantFunc- AuxPwr- NoSnoop+ FLReset-
	Capabilities: [e0] Vital Product Data
		Product Name: Fast NIC
		Read-only fields:
			[PN] Part number: F-1
			[SN] Serial number: SN0042
		End
	Capabilities: [140 v1] Device Serial Number a0-b1-c2-ff-ff-d3-e4-f5
	Capabilities: [150 v1] Alternative Routing-ID Interpretation (ARI)
		ARICap:	MFVC- ACS-, Next Function: 1
	Capabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)
		IOVCap:	Migration- 10BitTagReq- IntMsgNum 0
		IOVCtl:	Enable- Migration- Interrupt- MSE- ARIHierarchy+
		Initial VFs: 8, Total VFs: 8, Number of VFs: 2, Function Dependency Link: 00
		VF offset: 384, stride: 4, Device ID: 1520
		Region 0: Memory at 00000000f7e00000 (64-bit, prefetchable)
	Kernel driver in use: anic
	Kernel modules: anic, anic_old

03:00.0 USB controller [0c03]: Old Corp Old Card [1ccc:0001] (prog-if 20 [EHCI])
	Control: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx-
	Capabilities: [dc] PCI Advanced Features
		AFCap: TP+ FLR+
		AFCtrl: FLR-
		AFStatus: TP-

`

describe('lspci -nnvvv as root', () => {
  const host = readText(verbose)

  test('a root port', () => {
    expect(deviceOf(host, '0000:00:1c.0')).toEqual({
      address: '0000:00:1c.0',
      className: 'PCI bridge',
      classCode: '060400',
      vendorId: '1aaa',
      deviceId: '0c10',
      subsystemVendorId: '1aaa',
      subsystemId: '0101',
      revision: 'f0',
      name: 'Acme Corp Root Port #1',
      physicalSlot: '3',
      numaNode: 1,
      iommuGroup: 4,
      driver: 'pcieport',
      headerType: 1,
      portType: 'rootPort',
      secondaryBus: 2,
      subordinateBus: 3,
      path: '0000:00/1c.0',
      link: { maxSpeed: '8.0 GT/s', maxWidth: 4, speed: '2.5 GT/s', width: 1 },
      facts: {
        depth: 'extended',
        headerType: 1,
        primaryBus: 0,
        secondaryBus: 2,
        subordinateBus: 3,
        portType: 'rootPort',
        slotNumber: 7,
        afFlr: false,
        power: { noSoftReset: true, state: 'D0' },
        acs: { capability: 0x1f, control: 0x1d },
        msiVectors: 2,
        msixVectors: null,
        sriov: null,
        ari: false,
        vpd: false,
        resizableBar: false,
      },
    })
  })

  test('an endpoint below it', () => {
    expect(deviceOf(host, '0000:02:00.0')).toMatchObject({
      parent: '0000:00:1c.0',
      path: '0000:00/1c.0/00.0',
      deviceSerialNumber: 'a0b1c2ffffd3e4f5',
      vpdSerial: 'SN0042',
      sriov: { totalVfs: 8, numVfs: 2 },
      driver: 'anic',
      modules: ['anic', 'anic_old'],
      bars: [
        { index: 0, kind: 'memory', base: 'f7d00000', size: 131_072, is64Bit: false, prefetchable: false },
        { index: 2, kind: 'io', base: 'e000', size: 32 },
        {
          index: 4,
          kind: 'memory',
          base: '383fe0000000',
          size: 2_147_483_648,
          is64Bit: true,
          prefetchable: true,
        },
        { index: 6, kind: 'rom', base: 'f7d40000', size: 65_536 },
      ],
      facts: {
        flr: true,
        ari: true,
        vpd: true,
        msixVectors: 5,
        acs: null,
        power: { noSoftReset: false, state: 'D3hot' },
        sriov: { totalVfs: 8, numVfs: 2, firstVfOffset: 384, vfStride: 4, vfDeviceId: '1520' },
      },
    })
  })

  test('a conventional function is known to have no driver, no group and no Express capability', () => {
    expect(deviceOf(host, '0000:03:00.0')).toMatchObject({
      classCode: '0c0320',
      driver: null,
      iommuGroup: null,
      facts: { afFlr: true, portType: null, acs: null, flr: false, power: null },
    })
  })

  test.each([
    ['mail indentation', verbose.replaceAll('\t', '         ')],
    ['CRLF', verbose.replaceAll('\n', '\r\n')],
    ['comment marks', verbose.replaceAll(/^/gm, '# ')],
    ['quoted', verbose.replaceAll(/^/gm, '> ')],
    ['entities', `<pre>${verbose.replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</pre>`],
    ['with domains', verbose.replaceAll(/^(0[0-3]:)/gm, '0000:$1')],
  ])('the same through %s', (_title, text) => {
    expect(readText(text).devices).toEqual(host.devices)
  })

  test('a listing cut anywhere states a part of the whole, and the last function claims no absences', () => {
    for (let length = 40; length < verbose.length; length += 97) {
      const cut = readText(verbose.slice(0, length))
      const last = cut.devices.at(-1)
      if (!verbose.slice(0, length).endsWith('\n\n')) {
        expect(last?.facts?.sriov).not.toBe(null)
        expect(last?.driver).not.toBe(null)
      }
      for (const device of cut.devices.slice(0, -1))
        expect(device.facts).toEqual(deviceOf(host, device.address).facts)
    }
  })
})

test('an ordinary user sees the header only', () => {
  const host =
    readText(`00:02.0 VGA compatible controller: Acme Corp Iris [Xe] (rev 0c) (prog-if 00 [VGA controller])
	Flags: bus master, fast devsel, latency 0, IRQ 184, NUMA node 0, IOMMU group 1
	Memory at 603f000000 (64-bit, non-prefetchable) [size=16M]
	I/O ports at 4000 [size=64]
	Capabilities: <access denied>
	Kernel driver in use: igfx
`)
  expect(deviceOf(host, '0000:00:02.0')).toMatchObject({
    classCode: '030000',
    iommuGroup: 1,
    numaNode: 0,
    driver: 'igfx',
    bars: [
      { kind: 'memory', base: '603f000000', size: 16_777_216 },
      { kind: 'io', base: '4000', size: 64 },
    ],
    facts: { depth: 'header', headerType: 0 },
  })
  expect(host.findings.map((f) => f.message)).toContain(
    'lspci was not run as root: the capabilities of 1 functions are missing',
  )
})

test('numbers only, as -n and as pciutils 2 print them', () => {
  for (const line of [
    '00:1f.2 0106: 1aaa:8c02 (rev 05) (prog-if 01 [AHCI 1.0])',
    '00:1f.2 Class 0106: 1aaa:8c02 (rev 05) (prog-if 01)',
  ])
    expect(deviceOf(readText(line), '0000:00:1f.2')).toMatchObject({
      classCode: '010601',
      vendorId: '1aaa',
      deviceId: '8c02',
      revision: '05',
    })
})

test('bridge paths of -PP are parents', () => {
  const host = readText(
    '00:1c.0 PCI bridge [0604]: A [1aaa:0c10]\n00:1c.0/02:00.0 PCI bridge [0604]: B [1aaa:0c11]\n00:1c.0/02:00.0/03:04.0 Ethernet controller [0200]: C [1aaa:0c12]',
  )
  expect(deviceOf(host, '0000:03:04.0')).toMatchObject({
    parent: '0000:02:00.0',
    path: '0000:00/1c.0/00.0/04.0',
  })
  expect(host.devices).toHaveLength(3)
})

test('places of -P are addresses where the buses on the way are stated; otherwise a note says what to run', () => {
  const bus = (n: number) =>
    `\tFlags: fast devsel\n\tBus: primary=00, secondary=0${n}, subordinate=0${n}, sec-latency=0\n\n`
  const host = readText(
    `00:1c.0 PCI bridge [0604]: A [1aaa:0c10]\n${bus(2)}00:1c.0/00.0 Ethernet controller [0200]: B [1aaa:0c11]\n\tFlags: fast devsel, IOMMU group 5\n\n00:1d.0 PCI bridge [0604]: C [1aaa:0c12]\n00:1d.0/00.0 Ethernet controller [0200]: D [1aaa:0c13]\n\tFlags: IOMMU group 9\n`,
  )
  expect(host.devices.map((d) => d.address)).toEqual(['0000:00:1c.0', '0000:00:1d.0', '0000:02:00.0'])
  expect(deviceOf(host, '0000:02:00.0')).toMatchObject({
    deviceId: '0c11',
    iommuGroup: 5,
    parent: '0000:00:1c.0',
  })
  expect(host.findings.map((f) => f.message)).toContain(
    'lspci -P names functions by their path, but not every bus is known: use lspci -PP',
  )
})

test('a VMD domain has five digits and root buses of its own', () => {
  const host = readText(
    '0000:00:0e.0 RAID bus controller [0104]: Acme VMD [1aaa:9a0b]\n10000:e0:06.0 PCI bridge [0604]: Acme Port [1aaa:a0b0] (prog-if 00 [Normal decode])\n\tFlags: bus master, fast devsel\n\tBus: primary=00, secondary=e1, subordinate=e1, sec-latency=0\n10000:e1:00.0 Non-Volatile memory controller [0108]: Fast SSD [1ddd:0001] (prog-if 02 [NVM Express])\n',
  )
  expect(host.devices.map((d) => d.address)).toEqual(['0000:00:0e.0', '10000:e0:06.0', '10000:e1:00.0'])
  expect(deviceOf(host, '10000:e1:00.0')).toMatchObject({
    parent: '10000:e0:06.0',
    classCode: '010802',
  })
  // The live reader begins such a place at the VMD controller, which a listing does not name.
  expect(deviceOf(host, '10000:e1:00.0').path).toBeUndefined()
})

test('the forms for scripts', () => {
  const facts = {
    classCode: '010601',
    vendorId: '1aaa',
    deviceId: '8c02',
    revision: '05',
    subsystemVendorId: '1458',
    subsystemId: 'b005',
  }
  const quoted =
    '00:1f.2 "SATA controller [0106]" "Acme Corp [1aaa]" "Disk Hub [8c02]" -r05 -p01 "Maker [1458]" "Device [b005]"'
  expect(deviceOf(readText(quoted), '0000:00:1f.2')).toMatchObject({
    ...facts,
    name: 'Acme Corp Disk Hub',
    className: 'SATA controller',
  })
  const tagged =
    'Slot:\t00:1f.2\nClass:\tSATA controller [0106]\nVendor:\tAcme Corp [1aaa]\nDevice:\tDisk Hub [8c02]\nSVendor:\tMaker [1458]\nSDevice:\tDevice [b005]\nRev:\t05\nProgIf:\t01\nDriver:\tahci\nModule:\tahci\nNUMANode:\t0\nIOMMUGroup:\t7\n\nSlot:\t00:1f.3\nClass:\tSMBus [0c05]\nVendor:\tAcme Corp [1aaa]\nDevice:\tBus [8c22]\n'
  const host = readText(tagged)
  expect(deviceOf(host, '0000:00:1f.2')).toMatchObject({
    ...facts,
    driver: 'ahci',
    modules: ['ahci'],
    numaNode: 0,
    iommuGroup: 7,
  })
  expect(deviceOf(host, '0000:00:1f.3')).toMatchObject({ classCode: '0c05', deviceId: '8c22' })
  expect(host.source.kind).toBe('lspci')
})

describe('functions asleep while lspci ran', () => {
  const asleep = (address: string, group: number) => [
    `${address} 3D controller: Some Maker GPU (rev ff) (prog-if ff)`,
    '\t!!! Unknown header type 7f',
    `\tIOMMU group: ${group}`,
    '\tKernel driver in use: nouveau',
    '',
  ]
  const awake = [
    '05:00.0 Ethernet controller: Some Maker NIC',
    '\tControl: I/O- Mem+ BusMaster+ SpecCycle-',
    '\tIOMMU group: 23',
    '',
  ]

  test('keep the group that stands below them', () => {
    const host = readText([...asleep('04:00.0', 21), ...asleep('04:00.1', 22), ...awake].join('\n'))
    expect(host.groups.map(({ id, devices }) => [id, ...devices])).toEqual([
      [21, '0000:04:00.0'],
      [22, '0000:04:00.1'],
      [23, '0000:05:00.0'],
    ])
  })

  test('and a heading above a function is no line of the one before', () => {
    const bare = [
      'IOMMU group: 21',
      '04:00.0 3D controller: Some Maker GPU',
      'IOMMU group: 22',
      '05:00.0 Ethernet controller: NIC',
    ]
    expect(readText(bare.join('\n')).groups.map(({ id, devices }) => [id, ...devices])).toEqual([
      [21, '0000:04:00.0'],
      [22, '0000:05:00.0'],
    ])
  })
})

describe('hex dumps', () => {
  const row = (offset: number, bytes: string) => `${offset.toString(16).padStart(2, '0')}: ${bytes}\n`
  const zero = '00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00'
  const header = '00:03.0 SATA controller: Acme Corp Hub\n'
  const first =
    row(0, 'aa 1a 02 8c 07 04 10 00 05 01 06 01 00 00 80 00') +
    row(16, zero) +
    row(32, '00 00 00 00 00 00 00 00 00 00 00 00 58 14 05 b0') +
    row(48, zero)

  test('64 bytes give ids, class, subsystem and header', () => {
    expect(deviceOf(readText(header + first), '0000:00:03.0')).toMatchObject({
      vendorId: '1aaa',
      deviceId: '8c02',
      classCode: '010601',
      revision: '05',
      subsystemVendorId: '1458',
      subsystemId: 'b005',
      facts: { depth: 'header', headerType: 0, multifunctionBit: true },
    })
  })

  test('4096 bytes are kept whole, a cut dump as far as it is whole', () => {
    let dump = header + first
    for (let offset = 64; offset < 4096; offset += 16) dump += row(offset, zero)
    expect(deviceOf(readText(dump), '0000:00:03.0').config).toHaveLength(8192)
    const cut = readText(dump.slice(0, dump.indexOf('\n200: ')))
    expect(deviceOf(cut, '0000:00:03.0').config).toHaveLength(512)
    expect(cut.findings.map((f) => f.message)).toContain(
      'the hex dump of 0000:00:03.0 breaks off after 512 bytes; 256 are used',
    )
  })

  test('a function that does not answer', () => {
    const ff = 'ff '.repeat(16).trim()
    const host = readText(
      '00:04.0 Ethernet controller: Acme (rev ff) (prog-if ff)\n\t!!! Unknown header type 7f\n' +
        [0, 16, 32, 48].map((o) => row(o, ff)).join(''),
    )
    expect(deviceOf(host, '0000:00:04.0').facts).toMatchObject({ notAnswering: true })
  })
})

test('virtual functions of a -vvv listing have the number that offset and stride give them', () => {
  const entry = (address: string, more = '') =>
    `${address} Ethernet controller [0200]: Acme [1aaa:0200]\n\tControl: I/O- Mem+ BusMaster+\n\tCapabilities: [a0] Express (v2) Endpoint, MSI 00\n${more}\n`
  const sriov =
    '\tCapabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)\n\t\tInitial VFs: 8, Total VFs: 8, Number of VFs: 3, Function Dependency Link: 00\n\t\tVF offset: 32, stride: 2, Device ID: 0201\n'
  // The first of them was not pasted.
  const host = readText(entry('09:00.0', sriov) + entry('09:04.2') + entry('09:04.4') + entry('09:05.0'))
  expect(['09:04.2', '09:04.4', '09:05.0'].map((a) => deviceOf(host, `0000:${a}`).vfNumber)).toEqual([
    1,
    2,
    undefined,
  ])
  expect(deviceOf(host, '0000:09:04.4')).toMatchObject({ physFn: '0000:09:00.0' })
  expect(deviceOf(host, '0000:09:04.4').path).toBeUndefined()
})

test('a sleeping function keeps the group its own lines state, and states no revision and no interface', () => {
  const host = readText(`0b:00.0 VGA compatible controller: Bolt BX1 (rev ff) (prog-if ff)
\t!!! Unknown header type 7f
\tInterrupt: pin ? routed to IRQ 83
\tIOMMU group: 23
\tKernel driver in use: bolt

0b:00.1 Audio device: Bolt Sound (rev ff) (prog-if ff)
\t!!! Unknown header type 7f
\tIOMMU group: 24

0c:00.0 Ethernet controller: Acme Port
\tControl: I/O- Mem+ BusMaster+
\tIOMMU group: 25
`)
  expect(host.devices.map(({ iommuGroup }) => iommuGroup)).toEqual([23, 24, 25])
  expect(deviceOf(host, '0000:0b:00.0')).toMatchObject({ classCode: '0300', facts: { notAnswering: true } })
  expect(deviceOf(host, '0000:0b:00.0').revision).toBeUndefined()
})
