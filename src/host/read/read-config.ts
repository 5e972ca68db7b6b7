/** Reads as much of a function's configuration space as is needed. */
import { holdsExtendedChain } from '../../pci/capabilities.ts'
import { configBytes } from '../../pci/config-bytes.ts'
import { headOf, type Reading } from './reading.ts'

/**
 * `verdicts` leaves out facts that no verdict needs: BARs, the driver override, and the bytes of
 * configuration space after decoding.
 */
export type PciDetail = 'all' | 'verdicts'

/** An image has 64, 256 or 4096 bytes; more bytes in an archive are ignored. */
const wholeConfig = 4096

/** The capabilities of most functions end below this offset. */
const usualConfig = 512

/**
 * The whole image, or only its beginning if that holds all capabilities that verdicts need. On a running
 * machine every four bytes are a request to the device (`pci_read_config`, drivers/pci/pci-sysfs.c).
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
