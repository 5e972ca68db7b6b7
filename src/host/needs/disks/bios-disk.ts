/**
 * Finds the disk that the BIOS started. The module edd reports the signature in its MBR, which the udev
 * database has as the id of the partition table, and its size (drivers/firmware/edd.c). For a GPT disk udev
 * has another id, so any GPT disk may be the one.
 */
import { numberOf, textOf } from '../../read/reading.ts'
import { isDiskName } from './device-path.ts'
import type { Disks } from './disks.ts'
import type { End } from '../ends.ts'

export type BiosDisk = { readonly ends: readonly End[]; readonly top: readonly string[] }

export function biosDisk(
  { reading, blocks, namer, stack }: Disks,
  table: string,
  sectors?: number,
): BiosDisk {
  const at = (name: string): BiosDisk => ({ ends: stack.endsOf(name), top: [name] })
  const named = [...namer.udev()].find(([, { properties }]) => properties.get('ID_PART_TABLE_UUID') === table)
  if (named) return at(named[0])
  const maybe = [...blocks.byName.values()].filter(({ name, disk }) => {
    if (
      disk !== undefined ||
      !isDiskName(name) ||
      /^(?:dm-|md|loop|zd|sr|[nr]bd|drbd|bcache|z?ram|pmem)\d/.test(name)
    )
      return false
    const record = namer.udev().get(name)?.properties
    return record === undefined || record.get('ID_PART_TABLE_TYPE') === 'gpt'
  })
  // Sizes in sysfs count blocks of 512 bytes for every disk (Documentation/ABI/stable/sysfs-block).
  const sized = maybe.filter(
    ({ folder }) => sectors !== undefined && numberOf(textOf(reading, `${folder}/size`)) === sectors,
  )
  const [only, another] = sized.length > 0 ? sized : maybe
  if (only === undefined) return { ends: [], top: [] }
  if (another === undefined && blocks.areAllPlaced) return at(only.name)
  const couldBe = (sized.length > 0 ? sized : maybe).flatMap(({ name }) =>
    stack.endsOf(name).flatMap((end) => (end.to === 'function' ? [end.device] : [])),
  )
  const why = `nothing says which disk has the signature ${table} in its MBR`
  const lost: End = { to: 'lost', chain: [], lost: 'int13_dev80', why, couldBe: [...new Set(couldBe)] }
  return { ends: [blocks.areAllPlaced ? lost : { to: 'lost', chain: [], lost: 'int13_dev80', why }], top: [] }
}
