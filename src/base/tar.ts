/** Makes a tar archive of plain files in the format of POSIX (pax(1), "ustar Interchange Format"). Pure. */

export type TarFile = { readonly path: string; readonly content: Uint8Array }

const block = 512
/** The size of the name field in a header. */
const longestPath = 100

/** `seconds` is the modification time of every file, in seconds since 1970. */
export function writeTar(files: readonly TarFile[], seconds: number): Uint8Array {
  const parts = files.flatMap(({ path, content }) => [header(path, content.length, seconds), padded(content)])
  // Two empty blocks end an archive.
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 2 * block))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function padded(content: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(content.length / block) * block)
  whole.set(content)
  return whole
}

function header(path: string, size: number, seconds: number): Uint8Array {
  const bytes = new Uint8Array(block)
  const name = new TextEncoder().encode(path)
  if (name.length > longestPath) throw new RangeError(`the path ${path} is too long for an archive`)
  bytes.set(name)
  const put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at)
  const octal = (value: number, digits: number) => Math.floor(value).toString(8).padStart(digits, '0')
  put(100, '0000644\0')
  put(108, '0000000\0')
  put(116, '0000000\0')
  put(124, `${octal(size, 11)}\0`)
  put(136, `${octal(seconds, 11)}\0`)
  // The checksum is computed with spaces in its own field.
  put(148, ' '.repeat(8))
  put(156, '0')
  put(257, 'ustar\x0000')
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  put(148, `${octal(sum, 6)}\0 `)
  return bytes
}
