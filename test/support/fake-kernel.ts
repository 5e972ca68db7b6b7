/**
 * A sysfs-shaped tree in a temporary folder, and the little of the kernel that answers writes to it:
 * driver_override, unbind and drivers_probe move links as Documentation/ABI/testing/sysfs-bus-pci says. The
 * System under it is the real one; only the kernel's reaction is played.
 */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { parseAddress, type PciAddress } from '../../src/pci/address.ts'
import type { Identity } from '../../src/pci/identity.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import type { System } from '../../src/machine/system.ts'

export type FakeDevice = {
  /** It makes virtual functions of this device id beside itself, from slot 10 of its bus on. */
  readonly sriov?: { readonly total: number; readonly device: string; readonly numVfs?: number }
  readonly address: string
  /** Folder below /sys/devices: `pci0000:00/0000:00:1c.0/0000:01:00.0`. */
  readonly place: string
  readonly vendor: string
  readonly device: string
  readonly driver: string | null
  /** Six digits, where a reader must know what it is. */
  readonly classCode?: string
  readonly mac?: string
  /** Name of its network interface, which it has when it has a MAC; `eth0` unless told. */
  readonly port?: string
  readonly group?: number
}

export function tempTree(): string {
  return fs.mkdtempSync(join(tmpdir(), 'handover-apply-'))
}

export function put(root: string, path: string, text: string, mode = 0o644): void {
  const full = join(root, path)
  fs.mkdirSync(dirname(full), { recursive: true })
  fs.writeFileSync(full, text)
  fs.chmodSync(full, mode)
}

const link = (root: string, path: string, target: string) => {
  fs.mkdirSync(dirname(join(root, path)), { recursive: true })
  // Relative, as in the real sysfs: it also keeps every link inside the tree.
  fs.symlinkSync(relative(dirname(path), target), join(root, path))
}

export function address(text: string): PciAddress {
  const parsed = parseAddress(text)
  if (!parsed) throw new Error(text)
  return parsed
}

/** Builds the devices; `drivers` are the drivers the kernel has, and which `vendor:device` each takes. */
export function fakeSysfs(
  root: string,
  devices: readonly FakeDevice[],
  drivers: Record<string, readonly string[]>,
): void {
  put(root, '/sys/bus/pci/drivers_probe', '')
  for (const name of Object.keys(drivers))
    fs.mkdirSync(join(root, `/sys/bus/pci/drivers/${name}`), { recursive: true })
  for (const device of devices) addDevice(root, device)
}

export function addDevice(root: string, device: FakeDevice): void {
  const folder = `/sys/devices/${device.place}`
  put(root, `${folder}/vendor`, `0x${device.vendor}\n`)
  put(root, `${folder}/device`, `0x${device.device}\n`)
  if (device.classCode) put(root, `${folder}/class`, `0x${device.classCode}\n`)
  put(root, `${folder}/driver_override`, '(null)\n')
  if (device.mac) {
    put(root, `${folder}/net/${device.port ?? 'eth0'}/address`, `${device.mac}\n`)
    put(root, `${folder}/net/${device.port ?? 'eth0'}/addr_assign_type`, '0\n')
  }
  if (device.group !== undefined)
    link(root, `${folder}/iommu_group`, `/sys/kernel/iommu_groups/${device.group}`)
  link(root, `/sys/bus/pci/devices/${device.address}`, folder)
  if (device.driver !== null) link(root, `${folder}/driver`, `/sys/bus/pci/drivers/${device.driver}`)
  if (device.sriov === undefined) return
  put(root, `${folder}/sriov_totalvfs`, `${device.sriov.total}\n`)
  put(root, `${folder}/sriov_drivers_autoprobe`, '1\n')
  put(root, `${folder}/sriov_numvfs`, '0\n')
  put(root, `${folder}/sriov_vf_device`, `${device.sriov.device}\n`)
  setNumVfs(root, device.address, device.sriov.numVfs ?? 0)
}

/** What the card's driver holds for its virtual functions; the real one answers over netlink only. */
const linkState = 'fake-vfinfo.json'

/** The folder of the card whose network interface has this name. */
function cardWith(root: string, port: string): string | undefined {
  const folder = '/sys/bus/pci/devices'
  const card = fs
    .readdirSync(join(root, folder))
    .find((name) => fs.existsSync(join(root, folder, name, 'net', port)))
  return card && `${folder}/${card}`
}

/** As drivers/pci/iov.c: folders beside the card's, with links both ways; 0 removes them all. */
export function setNumVfs(root: string, card: string, count: number): void {
  const folder = fs.realpathSync(deviceFolder(root, card))
  const place = relative(join(fs.realpathSync(root), 'sys/devices'), folder)
  const read = (name: string) => fs.readFileSync(join(folder, name), 'utf8').trim()
  const addressOf = (n: number) => `${card.slice(0, -4)}10.${n}`
  for (let n = 0; fs.existsSync(join(folder, `virtfn${n}`)); n += 1) {
    fs.rmSync(join(root, `/sys/devices/${dirname(place)}/${addressOf(n)}`), { recursive: true })
    fs.unlinkSync(join(root, `/sys/bus/pci/devices/${addressOf(n)}`))
    fs.unlinkSync(join(folder, `virtfn${n}`))
  }
  for (let n = 0; n < count; n += 1) {
    const vf = {
      address: addressOf(n),
      place: `${dirname(place)}/${addressOf(n)}`,
      driver: null,
      group: 40 + n,
    }
    const classCode = fs.existsSync(join(folder, 'class')) ? { classCode: read('class').slice(2) } : {}
    addDevice(root, { ...vf, ...classCode, vendor: read('vendor').slice(2), device: read('sriov_vf_device') })
    link(root, `/sys/devices/${vf.place}/physfn`, `/sys/devices/${place}`)
    link(root, `/sys/devices/${place}/virtfn${n}`, `/sys/devices/${vf.place}`)
  }
  const fresh = (vf: number) => ({
    vf,
    address: '00:00:00:00:00:00',
    vlan_list: [{}],
    spoofchk: true,
    trust: false,
  })
  put(
    root,
    `/sys/devices/${place}/${linkState}`,
    `${JSON.stringify(Array.from({ length: count }, (_, vf) => fresh(vf)))}\n`,
  )
  fs.writeFileSync(join(folder, 'sriov_numvfs'), `${count}\n`)
}

/** `ip link set dev PORT vf N …`, as far as it is used. */
export function setLink(root: string, argv: readonly string[]): void {
  const [number, ...words] = argv.slice(argv.indexOf('vf') + 1)
  const file = join(root, cardWith(root, argv[argv.indexOf('dev') + 1] ?? '') ?? '', linkState)
  const list = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>[]
  const vf = list[Number(number)]
  if (vf === undefined) throw new Error(`no vf ${number ?? ''}`)
  for (let i = 0; i < words.length; i += 2) {
    const [key, value] = [words[i], words[i + 1] ?? '']
    if (key === 'mac') vf['address'] = value
    if (key === 'vlan') vf['vlan_list'] = [value === '0' ? {} : { vlan: Number(value) }]
    if (key === 'trust' || key === 'spoofchk') vf[key] = value === 'on'
  }
  fs.writeFileSync(file, `${JSON.stringify(list)}\n`)
}

export function identityOf(device: FakeDevice): Identity {
  const path = device.place
    .split('/')
    .map((part) => (part.startsWith('pci') ? part.slice(3) : (part.split(':').at(-1) ?? '')))
    .join('/')
  const macs = device.mac === undefined ? {} : { macs: [device.mac] }
  return { path, vendorId: device.vendor, deviceId: device.device, ...macs }
}

/** `probe` may refuse (a driver that fails to bind) by returning false. */
export function fakeKernel(
  root: string,
  drivers: Record<string, readonly string[]>,
  probe: (address: string, driver: string) => boolean = () => true,
  system: System = linuxSystem({ root }),
): System {
  const react = (path: string, text: string) => {
    const value = text.trim()
    const isPlain = /\/(?:nr_hugepages|reset_method|sriov_drivers_autoprobe)$/.test(path)
    if (path.endsWith('/sriov_numvfs')) setNumVfs(root, path.split('/').at(-2) ?? '', Number(value))
    if (isPlain) fs.writeFileSync(join(root, path), `${value}\n`)
    if (path.endsWith('/driver_override')) fs.writeFileSync(join(root, path), `${value || '(null)'}\n`)
    if (path.endsWith('/driver/unbind')) fs.unlinkSync(join(root, dirname(path)))
    if (path === '/sys/bus/pci/drivers_probe') bind(value)
  }
  const bind = (device: string) => {
    const folder = fs.realpathSync(deviceFolder(root, device))
    if (fs.lstatSync(join(folder, 'driver'), { throwIfNoEntry: false })) return
    const override = fs.readFileSync(join(folder, 'driver_override'), 'utf8').trim()
    const id = ['vendor', 'device']
      .map((name) => fs.readFileSync(join(folder, name), 'utf8').trim().slice(2))
      .join(':')
    const driver = Object.keys(drivers).find((name) =>
      override === '(null)' ? drivers[name]?.includes(id) : name === override,
    )
    if (driver === undefined || !probe(device, driver)) return
    fs.symlinkSync(
      relative(folder, join(fs.realpathSync(root), 'sys/bus/pci/drivers', driver)),
      join(folder, 'driver'),
    )
  }
  return {
    ...system,
    writeAttribute: (path, text) =>
      path.startsWith('/sys/bus/pci') ? react(path, text) : system.writeAttribute(path, text),
    writeAttributeWithin: (path, text) => {
      react(path, text)
      return Promise.resolve()
    },
    sleep: () => Promise.resolve(),
    showLink: (name) => {
      const state = system.readText(`${cardWith(root, name) ?? ''}/${linkState}`)
      return state.ok ? { ok: true, value: `[{"ifname":"${name}","vfinfo_list":${state.value}}]` } : state
    },
    exec: (argv, options) => {
      if (argv[0] !== 'ip') return system.exec(argv, options)
      setLink(root, argv)
      return Promise.resolve({ status: 0, stdout: '', stderr: '', timedOut: false })
    },
  }
}

function deviceFolder(root: string, device: string): string {
  return join(root, `/sys/bus/pci/devices/${device}`)
}
