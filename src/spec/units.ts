/**
 * Sizes and times with a unit: `16 GiB`, `512M`, `60 s`, `2 min`. A number without a unit is refused, because
 * some tools read it as bytes and others as mebibytes.
 */

const mibPerUnit: Readonly<Record<string, number>> = { m: 1, g: 1024, t: 1024 * 1024 }
const secondsPerUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }

export const sizePattern = /^\s*(\d{1,9}(?:\.\d{1,3})?)\s*([MGT])(?:i?B)?\s*$/
export const durationPattern = /^\s*(\d{1,9})\s*(s|sec|seconds?|m|min|minutes?|h|hours?)\s*$/

/**
 * MiB, or `undefined` if the text is not a size or not a whole number of MiB. `G`, `GB` and `GiB` all mean
 * GiB, as in QEMU and libvirt.
 */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = sizePattern.exec(text) ?? []
  if (amount === undefined || unit === undefined) return undefined
  const mib = Number(amount) * (mibPerUnit[unit.toLowerCase()] ?? Number.NaN)
  return Number.isInteger(mib) && mib > 0 && mib <= 256 * 1024 * 1024 ? mib : undefined
}

/** Seconds, or `undefined` if the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = durationPattern.exec(text) ?? []
  if (amount === undefined || unit === undefined) return undefined
  const seconds = Number(amount) * (secondsPerUnit[unit.slice(0, 1)] ?? Number.NaN)
  return seconds > 0 && seconds <= 24 * 3600 ? seconds : undefined
}
