/**
 * Reads the unified kernel images (kernel, initramfs and arguments in one file, Boot Loader Specification
 * Type #2): their kernels, the free space beside them, and whether the firmware requires signatures.
 */
import { defined } from '../../base/defined.ts'
import type { Reader } from '../../machine/system.ts'
import type { BootFacts, UnifiedImage } from '../boot-facts.ts'

/** The order in which kernel-install and bootctl search the EFI system partition. */
const folders = ['/efi/EFI/Linux', '/boot/efi/EFI/Linux', '/boot/EFI/Linux']

const imagesLimit = 100

/** A variable of the firmware (UEFI specification, 3.3): four bytes of attributes, then one byte. */
const secureBootPath = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c'

export function readUnified(reader: Reader): Pick<BootFacts, 'unified' | 'secureBoot'> {
  const secure = reader.readBytes(secureBootPath, 64)
  const unified = findFolder(reader)
  return {
    ...defined({ unified }),
    // Nobody knows that Secure Boot is off where its variable cannot be read.
    ...(secure.ok ? { secureBoot: secure.value[4] === 1 } : {}),
    ...(!secure.ok && secure.reason !== 'absent' ? { secureBoot: true } : {}),
  }
}

function findFolder(reader: Reader): BootFacts['unified'] {
  for (const folder of folders) {
    const names = reader.list(folder)
    const images = names.ok ? imagesOf(reader, folder, names.value) : []
    if (images.length === 0) continue
    const freeBytes = reader.freeBytes?.(folder)
    const hooks = reader.list('/etc/kernel/install.d')
    return {
      folder,
      images,
      hooks: hooks.ok ? hooks.value.filter((name) => name.endsWith('.install')) : [],
      ...defined({ freeBytes }),
    }
  }
  return undefined
}

function imagesOf(reader: Reader, folder: string, names: readonly string[]): UnifiedImage[] {
  const kernels = reader.list('/lib/modules')
  const releases = kernels.ok ? kernels.value.filter((name) => /^[\w.+~-]+$/.test(name)) : []
  return names
    .filter((name) => /^[\w.+~-]+\.efi$/i.test(name))
    .slice(0, imagesLimit)
    .flatMap((name): UnifiedImage[] => {
      const stat = reader.stat(`${folder}/${name}`)
      if (!stat.ok || stat.value.kind !== 'file') return []
      const release = releaseIn(name, releases)
      return [{ name, bytes: stat.value.size, ...defined({ release }) }]
    })
}

/**
 * `TOKEN-RELEASE.efi` (kernel-install), `linux-RELEASE-MACHINE.efi` (dracut). The longest match wins, since
 * one release may be the beginning of another.
 */
function releaseIn(name: string, releases: readonly string[]): string | undefined {
  return releases
    .filter((release) => {
      const at = name.indexOf(release)
      const before = name[at - 1] ?? '-'
      const behind = name.slice(at + release.length)
      return at >= 0 && before === '-' && /^(?:[-+].*)?\.efi$/i.test(behind)
    })
    .toSorted((a, b) => b.length - a.length)[0]
}
