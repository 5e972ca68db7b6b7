/** The boot loader of a Host: its evidence, put to boot/bootloader.ts. */
import { defined } from '../../base/defined.ts'
import { findBootloader, type Bootloader } from './bootloader.ts'
import type { Host } from '../../host/host.ts'

export function loaderOf(host: Host): Bootloader {
  const { efi = false, present = [], loaderInfo, stubInfo, entryImages } = host.boot ?? {}
  const entry = entryImages?.[0]?.entry
  return findBootloader({
    efi,
    present,
    cmdline: host.kernel.cmdline ?? '',
    ...defined({ loaderInfo, stubInfo }),
    ...(entry === undefined ? {} : { entries: entry.slice(0, entry.lastIndexOf('/')) }),
  })
}
