/**
 * The MAC of a virtual port for which the spec gives none. It follows from the VM's name and the port's
 * number, so it never changes. QEMU's default is the same for every VM (52:54:00:12:34:56); two such ports on
 * one bridge lose frames.
 */
import { hex } from '../pci/hex.ts'

/** `taken`: the addresses of other ports. */
export function virtualMac(vm: string, port: number, taken: ReadonlySet<string>): string {
  for (let attempt = 0; ; attempt += 1) {
    const mac = macOf(hash(`${attempt}/${port}/${vm}`))
    if (!taken.has(mac)) return mac
  }
}

/**
 * A locally administered address of one station: the two low bits of the first octet are 1 and 0 (IEEE 802c).
 */
function macOf(number: bigint): string {
  const octets = Array.from({ length: 6 }, (_, at) => Number((number >> BigInt(8 * at)) & 0xffn))
  octets[0] = ((octets[0] ?? 0) & 0xfc) | 0x02
  return octets.map((octet) => hex(octet, 2)).join(':')
}

const mask = (1n << 64n) - 1n

/**
 * FNV-1a with the final mix of MurmurHash3. Without the mix, names that differ only in their last letter
 * would share most octets.
 */
function hash(text: string): bigint {
  let sum = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) sum = ((sum ^ BigInt(byte)) * 0x100000001b3n) & mask
  sum = ((sum ^ (sum >> 33n)) * 0xff51afd7ed558ccdn) & mask
  sum = ((sum ^ (sum >> 33n)) * 0xc4ceb9fe1a85ec53n) & mask
  return sum ^ (sum >> 33n)
}
