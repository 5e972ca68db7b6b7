/**
 * One small sample of every form, of an invented machine: the seeds of the fuzzing, together with the corpus
 * where it is there.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { corpusItems, hasCorpus } from '../../../corpus/corpus.ts'
import { tarOf } from './tar-of.ts'

const hexRow = (offset: number) =>
  `${offset.toString(16).padStart(2, '0')}: aa 1a 02 8c 07 04 10 00 05 01 06 01 10 00 80 f0`

const texts: readonly string[] = [
  `00:1c.0 PCI bridge [0604]: Acme Corp Root Port #1 [1aaa:0c10] (rev f0) (prog-if 00 [Normal decode])
	Subsystem: Acme Corp Board [1aaa:0101]
	Physical Slot: 3
	Control: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx+
	NUMA node: 1
	IOMMU group: 4
	Bus: primary=00, secondary=02, subordinate=03, sec-latency=0
	Region 0: Memory at f7d00000 (64-bit, prefetchable) [size=128K]
	Capabilities: [40] Express (v2) Root Port (Slot+), IntMsgNum 0
		DevCap:	MaxPayload 256 bytes, PhantFunc 0
			ExtTag- RBE+ FLReset+
		LnkCap:	Port #1, Speed 8GT/s, Width x4, ASPM L1
		LnkSta:	Speed 2.5GT/s, Width x1
	Capabilities: [140 v1] Access Control Services
		ACSCap:	SrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-
		ACSCtl:	SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-
	Capabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)
		Initial VFs: 8, Total VFs: 8, Number of VFs: 2, Function Dependency Link: 00
		VF offset: 384, stride: 4, Device ID: 1520
	Kernel driver in use: pcieport
	Kernel modules: a, b
${[0, 16, 32, 48, 64].map(hexRow).join('\n')}

10000:e1:00.0 Non-Volatile memory controller: Fast SSD (rev 01) (prog-if 02 [NVM Express])
	Flags: bus master, fast devsel, latency 0, IRQ 16, NUMA node 0, IOMMU group 6
	Memory at 603f000000 (64-bit, non-prefetchable) [size=16K]
	Capabilities: <access denied>
`,
  `IOMMU Group 3:\n\t00:17.0 SATA controller [0106]: Acme Corp Hub bus[A:B] [1aaa:a352] (rev 10)\nIOMMU Group 4 00:1c.0 PCI bridge [0604]: Acme [1aaa:0c10]\n (4) 02:00.0 Ethernet controller [0200]: Acme [1aaa... (rev 03)\n[RESET]\t01:00.0 VGA compatible controller [0300]: B [1bbb:1401]\n`,
  `<pre>/sys/kernel/iommu_groups/4/devices/0000:00:1c.0<br>/sys/kernel/iommu_groups/3/devices:\n0000:00:17.0 0000:00:18.0\n├── 12\n│   └── 0000:01:00.0 -&gt; ../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0\n/sys/bus/pci/devices/0000:00:17.0/iommu_group -> ../../../kernel/iommu_groups/3</pre>`,
  `[    0.1] Linux version 6.10.3 (x)\n[    0.2] Command line: ro iommu=pt\n[    0.2] DMAR: RMRR base: 0x0000007b800000 end: 0x0000007fffffff\n[    0.3] pci 0000:02:00.0: [1aaa:15f3] type 00 class 0x020000 PCIe Endpoint\n[    0.3] pci 0000:02:00.0: BAR 0 [mem 0xf7d00000-0xf7dfffff 64bit pref]\n[    0.3] pci 0000:00:1c.0: PCI bridge to [bus 02-03]\n[    0.4] pci 0000:02:00.0: Adding to iommu group 2\n[    0.4] platform AMDI0020:00: Adding to iommu group 3\n[    0.5] iommu: Removing device 0000:02:00.0 from group 2\n`,
  `00:1f.2 "SATA controller [0106]" "Acme Corp [1aaa]" "Disk Hub [8c02]" -r05 -p01 "Maker [1458]" "Device [b005]"\nSlot:\t00:1f.3\nClass:\tSMBus [0c05]\nVendor:\tAcme [1aaa]\nDevice:\tBus [8c22]\nRev:\t05\nIOMMUGroup:\t7\n`,
  `P: /devices/pci0000:00/0000:00:1c.0\nE: DRIVER=pcieport\nE: PCI_CLASS=60400\nE: PCI_ID=1AAA:0C10\nE: SUBSYSTEM=pci\n\nP: /devices/pci0000:00/0000:00:1c.0/0000:02:00.0/net/enp2s0\nE: INTERFACE=enp2s0\nE: SUBSYSTEM=net\n`,
  `P: /devices/pci0000:00/0000:00:1c.0\nE: PCI_ID=1AAA:0C10\nE: SUBSYSTEM=pci\nA: class=0x060400\\n\nH: config=AA1A02${'00FF'.repeat(126)}\nA: resource=0x00000000f0000000 0x00000000f7ffffff 0x000000000014220c\\n\nL: driver=../../../bus/pci/drivers/pcieport\nL: iommu_group=../../../kernel/iommu_groups/4\n`,
  `<device><name>pci_0000_02_00_0</name><path>/sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0</path><parent>pci_0000_00_1c_0</parent><driver><name>anic</name></driver><capability type='pci'><class>0x020000</class><domain>0</domain><bus>2</bus><slot>0</slot><function>0</function><product id='0x15f3'>NIC &amp; more</product><vendor id='0x1aaa'>A</vendor><iommuGroup number='5'><address domain='0x0000' bus='0x02' slot='0x00' function='0x0'/></iommuGroup><numa node='1'/><pci-express><link validity='cap' speed='8' width='4'/></pci-express></capability></device>`,
  `{"version":1,"hardware":{"bridge":[{"index":7,"attached_to":0,"bus_type":{"name":"PCI","value":4},"base_class":{"value":6},"sub_class":{"value":4},"vendor":{"hex":"1aaa","value":6826},"device":{"hex":"0c10","value":3088},"sysfs_bus_id":"0000:00:1c.0","sysfs_id":"/devices/pci0000:00/0000:00:1c.0","sysfs_iommu_group_id":4,"driver":"pcieport"}]}}`,
  `26: PCI 100.0: 0300 VGA compatible controller (VGA)\n  SysFS ID: /devices/pci0000:00/0000:00:01.0/0000:01:00.0\n  SysFS BusID: 0000:01:00.0\n  Vendor: pci 0x1bbb "Bolt"\n  Device: pci 0x1401 "BX1"\n  SubDevice: pci 0x1\n  Revision: 0xa1\n  Driver: "vfio-pci"\n  Driver Modules: "a", "b"\n  Module Alias: "pci:v00001BBBd00001401sv00001462sd0000C75Abc03sc00i00"\n  Device File: lan0\n`,
  `| class    | device | id           | iommugroup | vendor | device_name |\n| 0x010802 | 0xa808 | 0000:02:00.0 | 15 | 0x1aaa | Fast SSD |\n|  |  |  |  |  | more |\n`,
  `[{"class":"0x020000","device":"0x0200","id":"0000:04:00.0","iommugroup":7,"vendor":"0x1aaa","vendor_name":"Acme","device_name":"Port"}]`,
  `0000:06:00.0 'Port for 10GbE 0200' drv=vfio-pci unused=anic\n0000:01:00.0 'Port 0201' if=lan0,lan1 drv=anic unused=vfio-pci *Active*\n`,
  `[{"id":"sata","class":"storage","businfo":"pci@0000:03:00.0","description":"SATA controller","product":"Hub [1AAA:106F]","configuration":{"driver":"ahci"},"children":[{"id":"disk","class":"disk","logicalname":"/dev/sdx","children":[{"id":"volume:0","class":"volume","logicalname":["/dev/sdx2","/srv"],"configuration":{"state":"mounted"}}]}]}]`,
  `IOMMU group 20:\t[1aaa:0c03] 0b:00.0 USB controller: Acme USB\n\t\tBus 001 Device 004 Port 1-5\tID 046d:c31c Keyboard\n\t[1aaa:0107] 05:00.0 Serial Attached SCSI controller: A\n\t\t[7:0:0:0] disk ATA FAST A1 /dev/sdb 8.00TB\n[0:0:0:0] disk Tiny Stick 1.00 /dev/sda 15.3GB\nGroup 3:\t[1bbb:1401] [R] 09:00.0  VGA compatible controller                BX1\n`,
  `2: lan1@if3: <UP> mtu 1500 master br7 state UP\n    altname enp5s0f1\n    inet 192.0.2.4/24 scope global lan1\ndefault proto static\n\tnexthop via 192.0.2.1 dev lan1 weight 1\niface br7 inet static\n\tgateway 192.0.2.1\n\tbridge-ports lan1 enp5s0\n05:00.0 0200: 1aaa:0200\n`,
  `├─sda2 8:2 0 931G 0 part /\n  └─vg-root 252:0 0 96G 0 lvm  /srv\n/dev/sda2 on / type ext4 (rw)\nmd3 : active raid1 sdb1[1] sda1[0]\n  pool: deep\n\tdeep ONLINE 0 0 0\n\t  ata-X_1-part3 ONLINE 0 0 0\nx pci-0000:00:17.0-ata-1 -> ../../sda\n00:17.0 0106: 1aaa:0106\n`,
  `root@box:~# find /sys/kernel/iommu_groups/ -type l\nme@other:~$ lspci\n00:02.0 VGA compatible controller: A\n[    0.4] pci 0000:00:02.0: vgaarb: setting as boot VGA device (overriding previous)\n`,
]

const tree = tarOf({
  'sys/devices/pci0000:00/0000:00:1c.0/vendor': '0x1aaa\n',
  'sys/devices/pci0000:00/0000:00:1c.0/device': '0x0c10\n',
  'sys/devices/pci0000:00/0000:00:1c.0/class': '0x060400\n',
  'sys/devices/pci0000:00/0000:00:1c.0/resource':
    '0x00000000f0000000 0x00000000f7ffffff 0x000000000014220c\n',
  'sys/devices/pci0000:00/0000:00:1c.0/iommu_group': '-> ../../../kernel/iommu_groups/4',
  'sys/bus/pci/devices/0000:00:1c.0': '-> ../../../devices/pci0000:00/0000:00:1c.0',
  'sys/kernel/iommu_groups/4/devices/0000:00:1c.0': '-> ../../../../devices/pci0000:00/0000:00:1c.0',
  'sys/kernel/iommu_groups/4/reserved_regions': '0x00000000fee00000 0x00000000feefffff msi\n',
  'proc/cmdline': 'ro quiet\n',
  'proc/self/mountinfo': '36 35 8:1 / / rw,noatime shared:1 - ext4 /dev/sda1 rw\n',
  'proc/net/route': 'Iface\tDestination\tGateway\neth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\n',
})

/** Seeds as bytes; of long corpus inputs any part may be taken. */
export function fuzzSeeds(): readonly Uint8Array[] {
  const own = [...texts.map((text) => new TextEncoder().encode(text)), tree, gzipSync(tree)]
  if (!hasCorpus) return own
  const real = corpusItems().map((item) => new Uint8Array(fs.readFileSync(join(item.input))))
  return [...own, ...own, ...own, ...real]
}

/** Pieces of every grammar, put where they do not belong. */
export const tokens: readonly string[] = [
  ...[
    'IOMMU Group ',
    'iommu group 99999',
    'Group 1:\n',
    '0000:00:00.0',
    'ffff:ff:1f.7',
    '10000:e0:06.0 ',
    '[8086:1234]',
    '[0604]: ',
    '(rev ff)',
  ],
  ...[
    '\n\tCapabilities: [100 v1] Access Control Services\n',
    '\tCapabilities: [fff',
    'ACSCap:\t',
    'Region 9: ',
    ' Memory at ffffffffffffffff [size=999999T]',
    'Bus: primary=00, secondary=00, subordinate=ff\n',
  ],
  ...[
    ': Adding to iommu group ',
    'pci 0000:00:1f.0: ',
    'RMRR base: 0x0 end: 0x0',
    '/sys/kernel/iommu_groups/0/devices/',
    '/devices/pci0000:00/',
    '\nP: /devices/',
    '\nE: SUBSYSTEM=pci\n',
    '\nL: a=../../',
    '\nH: config=',
    '\nA: ',
  ],
  ...[
    ...[
      'Bus 001 Device 002: ID 1d6b:0002 ',
      '[0:0:0:0] disk ',
      ' drv=',
      '*Active*',
      'SysFS BusID: ',
      '| id | class | vendor |',
      '"businfo":"pci@',
    ],
    ...['\nroot@box:~# ', ' master ', 'default via ', ' on / type ', '  pool: '],
    '<device>',
    '</device>',
    "<capability type='pci'>",
    '<!DOCTYPE a [<!ENTITY b "c">]>',
    '&b;',
    '&#x110000;',
    '"hardware":{',
    '"bus_type":',
    '[[[[',
    '}}',
    '\\u0000',
    '{"',
    '__proto__',
    'constructor',
  ],
  ...[
    '\r',
    '\0',
    '\u001b[31m',
    '\u001b]0;',
    '\u00a0',
    '\ufeff',
    '\ud800',
    '<br>',
    '<pre>',
    '&lt;',
    '\\[',
    '```\n',
    '$ lspci -nn\n',
    'Slot:\t',
    '"SATA" "A" "B" ',
    '\n00: ff ff ff ff\n',
    '\n',
    '\n\n',
    '\t',
    '-1',
    '1e999',
    '0x',
    '../',
    '-> ',
  ],
]
