/**
 * What the ACPI tables DMAR and IVRS have in common: the 36-byte header (ACPI 5.2.6) and a walk over
 * structures that say their own length. It owns bounds: lengths of zero, lengths past the end and endless
 * tables all just end the walk.
 */
import { type ConfigBytes, configBytes } from './config-bytes.ts'

/** More than any firmware has; a table is at most this many structures to us. */
const mostStructures = 4096

export type AcpiTable = {
  readonly bytes: ConfigBytes
  /** End of what both the header and the file hold. */ readonly end: number
}

/** Signature must match; a table shorter than its header says is read as far as it goes. */
export function openTable(source: Uint8Array | string, signature: 'DMAR' | 'IVRS'): AcpiTable | undefined {
  const bytes = configBytes(source)
  for (let i = 0; i < 4; i += 1) if (bytes.byte(i) !== signature.charCodeAt(i)) return undefined
  const stated = bytes.dword(4)
  if (stated === undefined || stated < 36) return undefined
  return { bytes, end: Math.min(stated, bytes.size) }
}

export type Structure = { readonly offset: number; readonly end: number }

/**
 * Splits `from..to` into structures; `lengthAt` reads one structure's own length. `complete` is false when
 * one did not fit.
 */
export function splitStructures(
  from: number,
  to: number,
  lengthAt: (offset: number) => number | undefined,
): { readonly structures: readonly Structure[]; readonly complete: boolean } {
  const structures: Structure[] = []
  let offset = from
  while (offset < to) {
    const length = lengthAt(offset)
    if (!length || offset + length > to || structures.length >= mostStructures)
      return { structures, complete: false }
    structures.push({ offset, end: offset + length })
    offset += length
  }
  return { structures, complete: true }
}

/** Physical address in hex without `0x`, as the kernel prints regions. */
export function formatPhysical(value: bigint): string {
  return value.toString(16)
}
