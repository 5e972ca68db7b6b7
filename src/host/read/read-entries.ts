/**
 * For each entry of the Boot Loader Specification: the initramfs that it loads, its real path and size, and
 * the free space beside it. Also the EFI variables that name entries.
 */
import { defined } from '../../base/defined.ts'
import { readEntry } from '../../boot/loaders/bls.ts'
import { loaderVariablePath } from '../../boot/loaders/loader-interface.ts'
import type { Reader } from '../../machine/system.ts'
import type { BootFacts, EntryImage, LoaderEntries } from '../boot-facts.ts'

/** The order in which boot loaders search. */
const folders = ['/efi/loader/entries', '/boot/efi/loader/entries', '/boot/loader/entries']

const entriesLimit = 200

export function readEntryImages(
  reader: Reader,
): Pick<BootFacts, 'entryImages' | 'entriesFreeBytes' | 'loaderEntries'> {
  const images = folders.flatMap((folder) => imagesIn(reader, folder))
  const [first] = images
  const free = first && reader.freeBytes?.(first.path.slice(0, first.path.lastIndexOf('/')) || '/')
  const loaderEntries = readLoaderEntries(reader)
  return {
    ...(images.length === 0 ? {} : { entryImages: images }),
    ...defined({ entriesFreeBytes: free, loaderEntries }),
  }
}

function imagesIn(reader: Reader, folder: string): EntryImage[] {
  const names = reader.list(folder)
  if (!names.ok) return []
  const root = folder.slice(0, -'/loader/entries'.length)
  return names.value
    .filter((name) => name.endsWith('.conf'))
    .slice(0, entriesLimit)
    .flatMap((name): EntryImage[] => {
      const entry = `${folder}/${name}`
      const text = reader.readText(entry, 65_536)
      if (!text.ok) return []
      const { initrds, version } = readEntry(text.value)
      const found = findImage(reader, root, initrds.at(-1))
      if (found === undefined) return []
      const isKernel =
        version !== undefined && /^[\w.+~-]+$/.test(version) && reader.stat(`/lib/modules/${version}`).ok
      return [{ entry, ...found, ...(isKernel ? { release: version } : {}) }]
    })
}

/**
 * The path is relative to the partition. If /boot is no partition of its own (GRUB only), the path starts at
 * the root.
 */
function findImage(
  reader: Reader,
  root: string,
  image: string | undefined,
): { readonly path: string; readonly bytes: number } | undefined {
  if (image === undefined || !/^\/(?!.*\.\.)[\w./+~-]+$/.test(image)) return undefined
  for (const path of [root + image, image]) {
    const stat = reader.stat(path)
    if (stat.ok && stat.value.kind === 'file') return { path, bytes: stat.value.size }
  }
  return undefined
}

function readLoaderEntries(reader: Reader): LoaderEntries | undefined {
  const names = {
    selected: 'Selected',
    oneShot: 'OneShot',
    default: 'Default',
    preferred: 'Preferred',
  } as const
  const found = Object.entries(names).flatMap(([key, name]) => {
    const value = readLoaderVariable(reader, `LoaderEntry${name}`)
    return value === undefined ? [] : [[key, value] as const]
  })
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

/** Four bytes of attributes, then UTF-16. */
/** False for a variable that is there and cannot be read: its value is unknown then. */
export function isLoaderVariableReadable(reader: Reader, name: string): boolean {
  const bytes = reader.readBytes(loaderVariablePath(name), 4096)
  return bytes.ok || bytes.reason === 'absent'
}

export function readLoaderVariable(reader: Reader, name: string): string | undefined {
  const bytes = reader.readBytes(loaderVariablePath(name), 4096)
  if (!bytes.ok) return undefined
  const text = new TextDecoder('utf-16le').decode(bytes.value.subarray(4)).replaceAll('\0', '').trim()
  return text === '' ? undefined : text
}
