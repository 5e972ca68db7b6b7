/** Configuration space of one function, as much of it as is needed. */
import { holdsExtendedChain } from '../../pci/capabilities.ts'
import { configBytes } from '../../pci/config-bytes.ts'
import { headOf, type Reading } from './reading.ts'

/**
 * `verdicts` leaves out what no verdict rests on: BARs, the driver override, and the bytes of configuration
 * space once they are decoded.
 */
export type PciDetail = 'all' | 'verdicts'

/** 64, 256 or 4096 bytes; what an archive holds beyond that is not configuration space. */
const wholeConfig = 4096

/** Where the capabilities of most functions end. */
const usualConfig = 512

/**
 * The image, or of a long one its beginning, if that has all that verdicts rest on: on the running machine
 * every four bytes are a question to the device (`pci_read_config`, drivers/pci/pci-sysfs.c), a thousand of
 * them for a whole image.
 */
export function configOf(
  reading: Reading,
  folder: string,
  detail: PciDetail,
): { readonly config: Uint8Array | undefined; readonly size?: number } {
  const path = `${folder}/config`
  if (detail === 'all') return { config: headOf(reading, path, wholeConfig) }
  const config = headOf(reading, path, usualConfig)
  if (config === undefined || config.length < usualConfig) return { config }
  if (holdsExtendedChain(configBytes(config))) return { config, size: wholeConfig }
  return { config: headOf(reading, path, wholeConfig) }
}
