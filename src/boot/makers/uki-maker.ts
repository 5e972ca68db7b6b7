/** Which tool makes this host's unified kernel images, by its own configuration, and which of the images it can make again. */
import { hasPath } from '../boot-paths.ts'
import type { Kernel, UkiMaker } from './unified.ts'
import type { Host, HostFile } from '../../host/host.ts'

/** Of dracut: its one old file, then the folder in the order of names (dracut.conf(5)). */
export function dracutFiles(files: readonly HostFile[]): readonly HostFile[] {
  return [
    ...files.filter(({ path }) => path === '/etc/dracut.conf'),
    ...files
      .filter(({ path }) => path.startsWith('/etc/dracut.conf.d/'))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  ]
}

const ukifyConfig = '/etc/kernel/uki.conf'

/** Undefined when none of them says that it makes such images, or when what makes them is beyond what can be seen from here. */
export function findUkiMaker(host: Host): UkiMaker | undefined {
  const files = host.files ?? []
  if (presetOutputs(files).some((path) => path.endsWith('.efi'))) return { kind: 'mkinitcpio' }
  if (makesWithUkify(host)) {
    return files.some(({ path }) => path === ukifyConfig) ? { kind: 'ukify', config: ukifyConfig } : { kind: 'ukify' }
  }
  if (installsUnified(files)) return undefined
  return dracutFiles(files).some(({ text }) => /^\s*uefi\+?=["']?yes\b/m.test(text)) ? { kind: 'dracut' } : undefined
}

/** kernel-install is told to make unified images (install.conf(5)), by whatever tool. */
export function installsUnified(files: readonly HostFile[]): boolean {
  return files.some(({ path, text }) => path === '/etc/kernel/install.conf' && /^\s*layout=["']?uki\b/m.test(text))
}

/** ukify is the generator unless another is named (kernel-install(8)); boot counting renames what we would look for. */
function makesWithUkify(host: Host): boolean {
  const files = host.files ?? []
  const generator = files
    .filter(({ path }) => path === '/etc/kernel/install.conf')
    .map(({ text }) => /^\s*uki_generator=["']?(\w+)/m.exec(text)?.[1])[0]
  const present = host.boot?.present
  return (
    installsUnified(files) &&
    (generator === undefined || generator === 'ukify') &&
    hasPath(present, '/usr/bin/ukify') &&
    !hasPath(present, '/etc/kernel/tries') &&
    host.boot?.unified?.hooks.length === 0
  )
}

/** With Secure Boot an image that nobody signs does not start: true when that is so, or cannot be told. */
export function lacksSignature(host: Host, maker: UkiMaker): boolean {
  if (host.boot?.secureBoot !== true) return false
  const says = (pattern: RegExp, files: readonly HostFile[]) => files.some(({ text }) => pattern.test(text))
  const files = host.files ?? []
  switch (maker.kind) {
    case 'mkinitcpio':
      return true
    case 'dracut':
      return !says(/^\s*uefi_secureboot_key=/m, dracutFiles(files))
    case 'ukify':
      return !says(
        /^\s*SecureBoot(?:PrivateKey|CertificateName)\s*=/m,
        files.filter(({ path }) => path === ukifyConfig),
      )
  }
}

/** Debian and its kin keep kernels in /boot, the others with their modules. */
export function kernelOf(host: Host, release: string): Kernel {
  const inBoot = host.boot?.bootNames.includes(`vmlinuz-${release}`) === true
  return { release, kernel: inBoot ? `/boot/vmlinuz-${release}` : `/lib/modules/${release}/vmlinuz` }
}

export type KnownImage = { readonly path: string; readonly release: string }

/** Those of installed kernels, under names that the maker gives; others (a rescue image) are left as they are. */
export function knownImages(host: Host, maker: UkiMaker): KnownImage[] {
  const { folder, images } = host.boot?.unified ?? { folder: '', images: [] }
  return images.flatMap(({ name, release }) => {
    if (release === undefined || (maker.kind === 'ukify' && !name.endsWith(`-${release}.efi`))) return []
    return [{ path: `${folder}/${name}`, release }]
  })
}

/** What `mkinitcpio -P` writes: `default_image="…"`, `fallback_uki='…'` (mkinitcpio(8), presets). */
export function mkinitcpioOutputs(files: readonly HostFile[]): string[] {
  return [...new Set(['/boot/initramfs-*.img', ...presetOutputs(files)])]
}

function presetOutputs(files: readonly HostFile[]): string[] {
  return files
    .filter(({ path }) => /^\/etc\/mkinitcpio\.d\/[^/]+\.preset$/.test(path))
    .flatMap(({ text }) => [...text.matchAll(/^[ \t]*\w+_(?:image|uki|efi_image)=["']?(\/[\w./+-]+)/gm)])
    .map(([, path]) => path ?? '')
    .filter((path) => !path.includes('..'))
}
