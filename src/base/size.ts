/** Sizes as text. All of them are in binary units: memory, BARs, huge pages and disks. */

/** Rounds a measured size: `512 B`, `4 KiB`, `1.8 TiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  const shown = unit === 0 || value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)
  return `${shown} ${units[unit] ?? ''}`
}

/**
 * Prints a requested size exactly, in the largest unit that needs at most one decimal: `16 GiB`, `1.5 GiB`,
 * `192 MiB`.
 */
export function formatSize(mib: number): string {
  for (const [unit, factor] of [
    ['TiB', 1024 * 1024],
    ['GiB', 1024],
  ] as const) {
    if (mib >= factor && (mib * 10) % factor === 0) return `${mib / factor} ${unit}`
  }
  return `${mib} MiB`
}
