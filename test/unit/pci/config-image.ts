/** Builds configuration space by hand: 4096 bytes, capabilities linked in the order they are added. */

export type ConfigImage = {
  readonly bytes: Uint8Array
  readonly put16: (offset: number, ...values: number[]) => void
  readonly put32: (offset: number, ...values: number[]) => void
  /** Content follows id and next pointer. */
  readonly capability: (offset: number, id: number, content: readonly number[]) => void
  readonly extended: (offset: number, id: number) => void
}

export type Header = {
  readonly vendor: number
  readonly device: number
  readonly headerType?: 0 | 1 | 2
  readonly multifunction?: boolean
  readonly classCode?: number
  readonly revision?: number
}

export function configImage(header: Header): ConfigImage {
  const bytes = new Uint8Array(4096)
  const view = new DataView(bytes.buffer)
  const put16 = (offset: number, ...values: number[]) => {
    for (const [i, value] of values.entries()) view.setUint16(offset + i * 2, value, true)
  }
  const put32 = (offset: number, ...values: number[]) => {
    for (const [i, value] of values.entries()) view.setUint32(offset + i * 4, value >>> 0, true)
  }
  put16(0, header.vendor, header.device)
  put32(8, (((header.classCode ?? 0) << 8) | (header.revision ?? 0)) >>> 0)
  bytes[0x0e] = (header.headerType ?? 0) | (header.multifunction ? 0x80 : 0)
  let pointer = header.headerType === 2 ? 0x14 : 0x34
  let last: number | undefined
  return {
    bytes,
    put16,
    put32,
    capability: (offset, id, content) => {
      bytes[0x06] = 0x10
      bytes[pointer] = offset
      bytes.set([id, 0, ...content], offset)
      pointer = offset + 1
    },
    extended: (offset, id) => {
      if (last !== undefined) put32(last, (view.getUint32(last, true) & 0xfffff) | (offset << 20))
      put32(offset, (1 << 16) | id)
      last = offset
    },
  }
}

export function configHex(image: ConfigImage, size = 4096): string {
  return Buffer.from(image.bytes.subarray(0, size)).toString('hex')
}

/** A PCIe function as a device's `config`, with ACS when words are given. */
export function pcieConfig(
  header: Header & {
    readonly portType: number
    readonly buses?: readonly [number, number, number]
    readonly acs?: readonly [number, number]
    readonly flr?: boolean
    readonly softReset?: boolean
    readonly size?: number
  },
): string {
  const image = configImage(header)
  if (header.buses) image.bytes.set(header.buses, 0x18)
  if (header.softReset) image.capability(0x50, 0x01, [0x03, 0x00, 0x00, 0x00])
  image.capability(0x60, 0x10, [(header.portType << 4) | 2, 0])
  image.put32(0x64, header.flr ? 1 << 28 : 0)
  image.extended(0x100, 0x0001)
  if (header.acs) {
    image.extended(0x140, 0x000d)
    image.put16(0x144, ...header.acs)
  }
  return configHex(image, header.size ?? 4096)
}
