/**
 * Replaces identifiers in binary files: configuration space, variables of the firmware, the cache of ZFS.
 * Every other byte keeps its place.
 */
import { hex, toHex } from '../../pci/hex.ts'
import { capabilityOffset, extendedCapabilityId, findExtendedCapabilities } from '../../pci/capabilities.ts'
import { configBytes } from '../../pci/config-bytes.ts'
import { bytesOfHex, bytesOfLatin, latinOf } from './bytes.ts'
import type { StandIns } from './stand-ins.ts'

type ReplaceText = (latin: string) => string

/** The Device Serial Number is eight bytes in extended configuration space, low dword first. */
export function redactConfig(bytes: Uint8Array, to: StandIns): Uint8Array {
  const offset = capabilityOffset(
    findExtendedCapabilities(configBytes(bytes)),
    extendedCapabilityId.deviceSerialNumber,
  )
  if (offset === undefined || offset + 12 > bytes.length) return bytes
  const serial = toHex(bytes.slice(offset + 4, offset + 12).toReversed())
  if (/^(?:0+|f+)$/.test(serial)) return bytes
  const changed = Uint8Array.from(bytes)
  changed.set(bytesOfHex(to.hex(serial)).toReversed(), offset + 4)
  return changed
}

/**
 * Four bytes of attributes, then UTF-16 text (systemd, Boot Loader Interface) or a boot entry (UEFI 3.1.3).
 */
export function redactVariable(bytes: Uint8Array, to: StandIns, text: ReplaceText): Uint8Array {
  const changed = redactPaths(Uint8Array.from(bytes), to)
  const units: string[] = []
  for (let at = 4; at + 1 < changed.length; at += 2)
    units.push(String.fromCharCode((changed[at] ?? 0) | ((changed[at + 1] ?? 0) << 8)))
  const before = units.join('')
  const after = text(before)
  if (after.length === before.length)
    for (let at = 0; at < after.length; at += 1) {
      const unit = after.charCodeAt(at)
      changed.set([unit & 0xff, unit >> 8], 4 + 2 * at)
    }
  return bytesOfLatin(keepLength(latinOf(changed), text))
}

function keepLength(latin: string, text: ReplaceText): string {
  const after = text(latin)
  return after.length === latin.length ? after : latin
}

type Field = {
  readonly at: number
  readonly length: number
  readonly as: (hex: string, to: StandIns) => string
}

const hexField = (at: number, length: number): Field => ({ at, length, as: (hex, to) => to.hex(hex) })
const address = (at: number, length: number): Field => ({
  at,
  length,
  as: (hex, to) =>
    toHex(Uint8Array.from(length === 4 ? to.v4([...bytesOfHex(hex)]) : to.v6([...bytesOfHex(hex)]))),
})

/**
 * Nodes of device paths by type, subtype and length (UEFI 10.3) that name a partition of a disk or a target
 * on a network or fabric.
 */
const nodes: readonly { readonly head: readonly number[]; readonly fields: readonly Field[] }[] = [
  { head: [4, 1, 42, 0], fields: [{ at: 24, length: 16, as: diskSignature }] },
  { head: [3, 11, 37, 0], fields: [{ at: 4, length: 6, as: (hex, to) => to.mac(hex) }] },
  { head: [3, 12, 27, 0], fields: [address(4, 4), address(8, 4), address(19, 4)] },
  { head: [3, 12, 19, 0], fields: [address(4, 4), address(8, 4)] },
  { head: [3, 13, 60, 0], fields: [address(4, 16), address(20, 16), address(44, 16)] },
  { head: [3, 13, 43, 0], fields: [address(4, 16), address(20, 16)] },
  { head: [3, 23, 16, 0], fields: [hexField(8, 8)] },
  { head: [3, 3, 24, 0], fields: [hexField(8, 8)] },
]

function redactPaths(bytes: Uint8Array, to: StandIns): Uint8Array {
  for (let at = 0; at + 4 <= bytes.length; at += 1)
    for (const { head, fields } of nodes) {
      if (!head.every((byte, index) => bytes[at + index] === byte)) continue
      for (const { at: from, length, as } of fields) {
        const hex = toHex(bytes.subarray(at + from, at + from + length))
        if (hex.length === 2 * length && !/^0*$/.test(hex)) bytes.set(bytesOfHex(as(hex, to)), at + from)
      }
    }
  return bytes
}

/** A GUID, or the little-endian signature of an MBR followed by zeros. */
function diskSignature(hex: string, to: StandIns): string {
  if (!/^.{8}0{24}$/.test(hex)) return turnId(to.uuid(turnId(hex)))
  const turned = (word: string) => (word.match(/../g) ?? []).toReversed().join('')
  return turned(to.hex(turned(hex.slice(0, 8)))) + hex.slice(8)
}

/**
 * Swaps the bytes of the first three numbers of a GUID, which are little-endian. Two swaps restore the
 * original.
 */
function turnId(hex: string): string {
  const turned = (part: string) => (part.match(/../g) ?? []).toReversed().join('')
  return turned(hex.slice(0, 8)) + turned(hex.slice(8, 12)) + turned(hex.slice(12, 16)) + hex.slice(16)
}

/** XDR (RFC 4506): a name, padded to four bytes, then the type 8 (uint64), one element, eight bytes. */
const poolNumber = /(pool_guid|top_guid|guid|hostid)(\0{0,3}\0\0\0\x08\0\0\0\x01)([\s\S]{8})/g

export function redactPools(bytes: Uint8Array, to: StandIns, text: ReplaceText): Uint8Array {
  const latin = latinOf(bytes).replace(poolNumber, (_, name: string, between: string, value: string) => {
    const number = BigInt(`0x${toHex(bytesOfLatin(value))}`)
    const drawn = name === 'hostid' ? BigInt(`0x${to.hex(hex(number, 8)).slice(-8)}`) : poolId(number, to)
    return name + between + latinOf(bytesOfHex(hex(drawn, 16).slice(-16)))
  })
  return bytesOfLatin(keepLength(latin, text))
}

function poolId(number: bigint, to: StandIns): bigint {
  return number === 0n ? number : BigInt(to.decimal(number.toString()))
}
