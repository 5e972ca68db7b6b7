/**
 * Reads `dpdk-devbind.py --status`, which has one function per line. `*Active*` marks an interface with a
 * route of the host (usertools/dpdk-devbind.py, get_device_details). Without `drv=` no driver holds the
 * function.
 *
 *   0000:01:00.0 'NetXtreme BCM5720 Gigabit Ethernet PCIe 165f' if=eno1 drv=tg3 unused=vfio-pci *Active*
 */
import { parseAddress } from '../../pci/address.ts'
import { stateWho, warnOfDrivers } from './contradictions.ts'
import { stateNeed } from './draft.ts'
import type { LineForm } from './listing-state.ts'

export const readDevbindLine: LineForm = ({ draft }, line) => {
  if (!line.includes("'")) return undefined
  const [, where = '', words = '', rest = ''] =
    /^[\s>]{0,40}((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) '([^']{1,300})'((?: .{0,400})?)$/i.exec(
      line,
    ) ?? []
  const address = parseAddress(where)
  if (address === undefined || !/ (?:drv|unused)=/.test(rest)) return undefined
  const [, name = words, deviceId] = /^(.*\S) ([0-9a-f]{4})$/i.exec(words) ?? []
  const device = stateWho(draft, address, { name })
  device.name = name
  if (deviceId !== undefined) device.deviceId = deviceId.toLowerCase()
  const value = (key: string) => new RegExp(` ${key}=(\\S{1,200})`).exec(rest)?.[1]
  const before = device.driver
  device.driver = value('drv')?.slice(0, 64) ?? null
  if (before !== undefined && before !== device.driver) warnOfDrivers(draft, device, before)
  const interfaces = (value('if') ?? '').split(',').filter((one) => /^[\w.:@-]{1,32}$/.test(one))
  if (interfaces.length > 0) device.networkInterfaces = interfaces.slice(0, 64).map((one) => ({ name: one }))
  if (/ \*Active\*\s*$/.test(rest))
    stateNeed(draft, {
      kind: 'network',
      what: 'route of the host',
      chain: interfaces,
      device: address,
      weight: 'vital',
    })
  return 'devbind'
}
