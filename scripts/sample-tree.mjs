// A made-up server as a file tree: root ports with eight functions behind each, 4,096 bytes of configuration
// space with capabilities, groups, a root disk, a default route. The build warms the code cache on it, the
// benchmark measures on it.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Writes a tree of `count` functions below `root`. */
export function makeSampleTree(root, count) {
  mkdirSync(join(root, 'sys/bus/pci/devices'), { recursive: true })
  mkdirSync(join(root, 'sys/bus/pci/drivers'), { recursive: true })
  mkdirSync(join(root, 'sys/devices/system/node'), { recursive: true })
  writeFileSync(join(root, 'sys/devices/system/node/possible'), '0\n')
  mkdirSync(join(root, 'sys/devices/virtual/iommu/dmar0/devices'), { recursive: true })
  mkdirSync(join(root, 'sys/class/iommu'), { recursive: true })
  symlinkSync('../../devices/virtual/iommu/dmar0', join(root, 'sys/class/iommu/dmar0'))
  let made = 0
  for (let port = 0; made < count; port++) {
    const domain = hex(Math.floor(port / 224), 4)
    const bus = (port % 224) + 1
    const bridge = `${domain}:00:${hex((port % 224) >> 3, 2)}.${port % 8}`
    addFunction(root, `pci${domain}:00/${bridge}`, { bus, group: made++, isBridge: true })
    for (let fn = 0; fn < 8 && made < count; fn++) {
      addFunction(root, `pci${domain}:00/${bridge}/${domain}:${hex(bus, 2)}:00.${fn}`, {
        bus: 0,
        group: made++,
        isBridge: false,
      })
    }
  }
}

/**
 * What a host needs, behind the first functions: so that the readers of mounts, routes and consoles have
 * work, too.
 */
export function addSampleNeeds(root) {
  const function0 = 'sys/devices/pci0000:00/0000:00:00.0/0000:01:00.0'
  const files = {
    'proc/cmdline': 'BOOT_IMAGE=/vmlinuz root=/dev/sda2 ro intel_iommu=on\n',
    'proc/version': 'Linux version 6.12.0 (builder) #1 SMP\n',
    'proc/sys/kernel/osrelease': '6.12.0\n',
    'proc/cpuinfo': 'processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: vmx ept\n',
    'proc/meminfo': 'MemTotal:       16384000 kB\nMemAvailable:   12000000 kB\nHugepagesize:       2048 kB\n',
    'proc/self/mountinfo': '25 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n',
    'proc/swaps': 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sda3 partition 1000 0 -2\n',
    'proc/net/route': `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\neth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`,
    'proc/net/ipv6_route': `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00000400 00000001 00000000 00000003 eth0\n`,
    'proc/bus/input/devices':
      'I: Bus=0011\nN: Name="AT keyboard"\nS: Sysfs=/devices/platform/i8042\nH: Handlers=kbd\n',
    'etc/os-release': 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian GNU/Linux 13"\n',
    'etc/default/grub': 'GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=on"\n',
    'usr/share/misc/pci.ids':
      '8086  Intel Corporation\n\t1521  I350\n\t\t8086 1521  Server Adapter\n\t2030  Root Port\n',
    [`${function0}/net/eth0/address`]: '02:00:00:00:00:01\n',
    [`${function0}/ata1/host0/target0:0:0/0:0:0:0/block/sda/dev`]: '8:0\n',
    [`${function0}/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda2/dev`]: '8:2\n',
    [`${function0}/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda2/partition`]: '2\n',
    [`${function0}/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda3/dev`]: '8:3\n',
    [`${function0}/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda3/partition`]: '3\n',
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const block = `${function0.slice(4)}/ata1/host0/target0:0:0/0:0:0:0/block/sda`
  const links = {
    'sys/class/net/eth0': `../../${function0.slice(4)}/net/eth0`,
    'sys/dev/block/8:2': `../../${block}/sda2`,
    'sys/dev/block/8:3': `../../${block}/sda3`,
    'sys/class/block/sda': `../../${block}`,
    'sys/block/sda': `../${block}`,
    [`${function0}/net/eth0/device`]: '../../../0000:01:00.0',
  }
  for (const [path, to] of Object.entries(links)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    symlinkSync(to, join(root, path))
  }
}

function hex(value, width) {
  return value.toString(16).padStart(width, '0')
}

function configSpace({ bus, isBridge }) {
  const bytes = Buffer.alloc(4096)
  bytes.writeUInt16LE(0x8086, 0)
  bytes.writeUInt16LE(isBridge ? 0x2030 : 0x1521, 2)
  bytes.writeUInt16LE(0x0010, 6)
  bytes.writeUInt32LE(isBridge ? 0x06040004 : 0x02000001, 8)
  bytes[0x0e] = isBridge ? 0x81 : 0x80
  if (isBridge) bytes.set([0, bus, bus], 0x18)
  else bytes.writeUInt32LE(0x15218086, 0x2c)
  bytes[0x34] = 0x40
  bytes.writeUInt32LE(0x00035001, 0x40) // power management, next 0x50
  bytes.writeUInt16LE(0x0008, 0x44)
  bytes.writeUInt16LE(0x6005, 0x50) // MSI, next 0x60
  bytes.writeUInt16LE(0x0010, 0x60)
  bytes.writeUInt16LE(isBridge ? 0x0142 : 0x0002, 0x62) // Express: root port or endpoint
  bytes.writeUInt32LE(isBridge ? 0 : 1 << 28, 0x64)
  bytes.writeUInt32LE(0x00000083, 0x6c)
  bytes.writeUInt16LE(0x0083, 0x72)
  bytes.writeUInt32LE(0x1401000d, 0x100) // ACS, next 0x140
  bytes.writeUInt32LE(0x001d001f, 0x104)
  bytes.writeUInt32LE(0x00010003, 0x140) // serial number
  bytes.writeUInt32LE(0x11223344, 0x144)
  bytes.writeUInt32LE(0x55667788, 0x148)
  return bytes
}

function addFunction(root, at, { bus, group, isBridge }) {
  const folder = join(root, 'sys/devices', at)
  const address = at.split('/').at(-1)
  mkdirSync(folder, { recursive: true })
  const device = isBridge ? '2030' : '1521'
  const driver = isBridge ? 'pcieport' : 'igb'
  const files = {
    vendor: '0x8086\n',
    device: `0x${device}\n`,
    class: isBridge ? '0x060400\n' : '0x020000\n',
    revision: '0x01\n',
    subsystem_vendor: '0x8086\n',
    subsystem_device: '0x1521\n',
    irq: '0\n',
    modalias: `pci:v00008086d0000${device}sv00008086sd00001521bc${isBridge ? '06sc04' : '02sc00'}i00\n`,
    numa_node: '0\n',
    driver_override: '(null)\n',
    reset_method: 'flr bus\n',
    resource: `${['0x00000000df200000 0x00000000df2fffff 0x0000000000040200', ...Array.from({ length: 12 }, () => '0x0000000000000000 0x0000000000000000 0x0000000000000000')].join('\n')}\n`,
    uevent: `DRIVER=${driver}\nPCI_CLASS=${isBridge ? '60400' : '20000'}\nPCI_ID=8086:${device.toUpperCase()}\nPCI_SUBSYS_ID=8086:1521\nPCI_SLOT_NAME=${address}\n`,
    config: configSpace({ bus, isBridge }),
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  const up = '../'.repeat(at.split('/').length + 1)
  symlinkSync(`../../../devices/${at}`, join(root, 'sys/bus/pci/devices', address))
  symlinkSync(`${up}bus/pci/drivers/${driver}`, join(folder, 'driver'))
  const driverFolder = join(root, 'sys/bus/pci/drivers', driver)
  mkdirSync(driverFolder, { recursive: true })
  for (const name of ['bind', 'new_id', 'remove_id', 'uevent', 'unbind'])
    writeFileSync(join(driverFolder, name), '')
  symlinkSync(`../../../../devices/${at}`, join(driverFolder, address))
  const members = join(root, 'sys/kernel/iommu_groups', String(group), 'devices')
  mkdirSync(members, { recursive: true })
  symlinkSync(`../../../../devices/${at}`, join(members, address))
  symlinkSync(`${up}kernel/iommu_groups/${group}`, join(folder, 'iommu_group'))
  symlinkSync(`../../../../${at}`, join(root, 'sys/devices/virtual/iommu/dmar0/devices', address))
  symlinkSync(`${up}devices/virtual/iommu/dmar0`, join(folder, 'iommu'))
}
