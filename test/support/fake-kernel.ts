/**
 * A sysfs-shaped tree in a temporary folder, and the little of the kernel that answers writes to it: driver_override,
 * unbind and drivers_probe move links as Documentation/ABI/testing/sysfs-bus-pci says. The System under it is the real
 * one; only the kernel's reaction is played.
 */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { parseAddress, type PciAddress } from '../../src/pci/address.ts'
import type { Identity } from '../../src/pci/identity.ts'
import { linuxSystem } from '../../src/system/linux.ts'
import type { System } from '../../src/system/system.ts'

export type FakeDevice = {
  readonly address: string
  /** Folder below /sys/devices: `pci0000:00/0000:00:1c.0/0000:01:00.0`. */
  readonly place: string
  readonly vendor: string
  readonly device: string
  readonly driver: string | null
  readonly mac?: string
  readonly group?: number
}

/** In memory where there is such a place: the crash matrix builds thousands of trees. */
export function tempTree(): string {
  const place = fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  return fs.mkdtempSync(join(place, 'handover-apply-'))
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
  for (const name of Object.keys(drivers)) fs.mkdirSync(join(root, `/sys/bus/pci/drivers/${name}`), { recursive: true })
  for (const device of devices) addDevice(root, device)
}

export function addDevice(root: string, device: FakeDevice): void {
  const folder = `/sys/devices/${device.place}`
  put(root, `${folder}/vendor`, `0x${device.vendor}\n`)
  put(root, `${folder}/device`, `0x${device.device}\n`)
  put(root, `${folder}/driver_override`, '(null)\n')
  if (device.mac) {
    put(root, `${folder}/net/eth0/address`, `${device.mac}\n`)
    put(root, `${folder}/net/eth0/addr_assign_type`, '0\n')
  }
  if (device.group !== undefined) link(root, `${folder}/iommu_group`, `/sys/kernel/iommu_groups/${device.group}`)
  link(root, `/sys/bus/pci/devices/${device.address}`, folder)
  if (device.driver !== null) link(root, `${folder}/driver`, `/sys/bus/pci/drivers/${device.driver}`)
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
    const isPlain = /\/(?:nr_hugepages|reset_method)$/.test(path)
    if (isPlain) fs.writeFileSync(join(root, path), `${value}\n`)
    if (path.endsWith('/driver_override')) fs.writeFileSync(join(root, path), `${value || '(null)'}\n`)
    if (path.endsWith('/driver/unbind')) fs.unlinkSync(join(root, dirname(path)))
    if (path === '/sys/bus/pci/drivers_probe') bind(value)
  }
  const bind = (device: string) => {
    const folder = fs.realpathSync(deviceFolder(root, device))
    if (fs.lstatSync(join(folder, 'driver'), { throwIfNoEntry: false })) return
    const override = fs.readFileSync(join(folder, 'driver_override'), 'utf8').trim()
    const id = ['vendor', 'device'].map((name) => fs.readFileSync(join(folder, name), 'utf8').trim().slice(2)).join(':')
    const driver = Object.keys(drivers).find((name) =>
      override === '(null)' ? drivers[name]?.includes(id) : name === override,
    )
    if (driver === undefined || !probe(device, driver)) return
    fs.symlinkSync(relative(folder, join(fs.realpathSync(root), 'sys/bus/pci/drivers', driver)), join(folder, 'driver'))
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
  }
}

function deviceFolder(root: string, device: string): string {
  return join(root, `/sys/bus/pci/devices/${device}`)
}
