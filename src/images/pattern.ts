/**
 * The picture the media guest paints on the screen it owns: eight horizontal bands of known colours, for
 * bochs-display's default mode. Bands survive any row pitch; people and programs can distinguish the colours.
 */

export const patternMode = { width: 1280, height: 800 } as const

/** Red, green, blue of each band from the top. */
export const patternBands: readonly (readonly [number, number, number])[] = [
  [200, 30, 40],
  [240, 140, 20],
  [250, 220, 60],
  [60, 170, 80],
  [30, 110, 200],
  [90, 60, 160],
  [240, 240, 240],
  [20, 20, 24],
]

/** The frame buffer's bytes: 32 bits a pixel, blue first (XRGB8888, little endian). */
export function patternBytes(): Uint8Array {
  const bytes = Buffer.alloc(patternMode.width * patternMode.height * 4)
  for (let y = 0; y < patternMode.height; y++) {
    const [red, green, blue] = bandAt(y, patternMode.height)
    const row = Buffer.from([blue, green, red, 0])
    bytes.fill(row, y * patternMode.width * 4, (y + 1) * patternMode.width * 4)
  }
  return bytes
}

export function bandAt(y: number, height: number): readonly [number, number, number] {
  return (
    patternBands[Math.min(patternBands.length - 1, Math.floor((y * patternBands.length) / height))] ?? [
      0, 0, 0,
    ]
  )
}

/**
 * Compares a screenshot (binary PPM, as QMP's screendump writes) with the pattern: nine points in every band.
 * Returns how many of the points agree.
 */
export function matchPattern(ppm: Uint8Array): {
  readonly points: number
  readonly right: number
  readonly size: string
} {
  const header = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(Buffer.from(ppm.subarray(0, 40)).toString('latin1'))
  if (!header) return { points: 1, right: 0, size: 'not a picture' }
  const [width, height] = [Number(header[1]), Number(header[2])]
  let points = 0
  let right = 0
  for (let band = 0; band < patternBands.length; band++) {
    const y = Math.floor(((band + 0.5) * height) / patternBands.length)
    for (let step = 1; step <= 9; step++) {
      const offset = header[0].length + (y * width + Math.floor((step * width) / 10)) * 3
      points += 1
      if (bandAt(y, height).every((value, channel) => ppm[offset + channel] === value)) right += 1
    }
  }
  return { points, right, size: `${width}x${height}` }
}
