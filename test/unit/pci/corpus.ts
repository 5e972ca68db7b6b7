/** Reads a recorded machine's archived sysfs tree, in memory, into bare devices and the kernel's groups. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parseAddress, type PciAddress } from '../../../src/pci/address.ts'
import type { PciDevice } from '../../../src/pci/device.ts'

export const corpusFolder = new URL('../../../../shared/corpus/', import.meta.url).pathname
export const hasCorpus = existsSync(corpusFolder)
export const skipReason = hasCorpus ? '' : ' (skipped: ../shared/corpus is not there)'

export type Machine = {
  readonly devices: readonly PciDevice[]
  readonly groups: ReadonlyMap<PciAddress, string>
}

const machines = new Map<string, Machine>()

export function readMachine(id: string): Machine {
  const known = machines.get(id)
  if (known) return known
  const folder = join(corpusFolder, 'snapshots', id)
  const archive = readdirSync(folder).find((name) => name.endsWith('.tar.gz'))
  if (archive === undefined) throw new Error(`${id} has no archive`)
  const machine = fromTree(readTar(gunzipSync(readFileSync(join(folder, archive)))))
  machines.set(id, machine)
  return machine
}

type Entry = { readonly bytes: Buffer; readonly link: string }

/** Regular files and symbolic links of an ustar or GNU archive; long names by their `L` and `K` records. */
function readTar(tar: Buffer): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>()
  const text = (from: number, length: number) =>
    tar.toString('latin1', from, from + length).replace(/\0[^]*$/, '')
  let [longName, longLink] = ['', '']
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const size = Number.parseInt(text(at + 124, 12), 8) || 0
    const type = String.fromCharCode(tar[at + 156] ?? 0)
    const prefix = text(at + 257, 5) === 'ustar' && text(at + 263, 2) === '00' ? text(at + 345, 155) : ''
    const name = longName || (prefix ? `${prefix}/` : '') + text(at, 100)
    const bytes = tar.subarray(at + 512, at + 512 + size)
    if (type === 'L') longName = text(at + 512, size)
    else if (type === 'K') longLink = text(at + 512, size)
    else {
      entries.set(name.replace(/^\.\//, '').replace(/\/$/, ''), {
        bytes,
        link: longLink || text(at + 157, 100),
      })
      ;[longName, longLink] = ['', '']
    }
    at += 512 + Math.ceil(size / 512) * 512
  }
  return entries
}

function fromTree(entries: ReadonlyMap<string, Entry>): Machine {
  const groups = new Map<PciAddress, string>()
  const root = 'sys/bus/pci/devices/'
  const names = [...entries.keys()].filter((n) => n.startsWith(root) && !n.slice(root.length).includes('/'))
  const devices = names.map((name): PciDevice => {
    const address = parseAddress(name.slice(root.length))!
    const link = entries.get(name)?.link ?? ''
    const folder = link === '' ? name : `sys/${link.slice(link.indexOf('devices/'))}`
    const entry = (attribute: string) => entries.get(`${folder}/${attribute}`)
    const text = (attribute: string) => entry(attribute)?.bytes.toString('latin1').trim()
    const group = basename(entry('iommu_group')?.link ?? '')
    if (group !== '') groups.set(address, group)
    const config = entry('config')?.bytes.toString('hex')
    const physFn = parseAddress(basename(entry('physfn')?.link ?? ''))
    const methods = text('reset_method')
    return {
      address,
      vendorId: (text('vendor') ?? '').slice(2),
      deviceId: (text('device') ?? '').slice(2),
      classCode: (text('class') ?? '').slice(2),
      ...(config !== undefined && { config }),
      ...(physFn && { physFn }),
      ...(methods !== undefined && { resetMethods: methods.split(/\s+/).filter(Boolean) }),
    }
  })
  return { devices, groups }
}
