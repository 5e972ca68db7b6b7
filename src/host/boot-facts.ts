/** How a machine boots, as a part of the Host value (host.ts); read by read-boot.ts and its kin. */

export type LoaderEntries = {
  /** The entry that was booted. */
  readonly selected?: string
  readonly oneShot?: string
  readonly default?: string
  readonly preferred?: string
}

export type EntryImage = {
  /** The file of the entry. */
  readonly entry: string
  /** Where the initramfs really is: paths in entries are relative to their partition. */
  readonly path: string
  readonly bytes: number
  /** The kernel's release, when its modules are there so that an initramfs for it can be made. */
  readonly release?: string
}

/** A unified kernel image: kernel, initramfs and arguments in one file. */
export type UnifiedImage = {
  readonly name: string
  readonly bytes: number
  /**
   * The kernel's release as the name tells it, when its modules are there so that the image can be made
   * again.
   */
  readonly release?: string
}

/** What tells how this machine boots. Existence is stated per path of a fixed list (boot/boot-paths.ts). */
export type BootFacts = {
  readonly efi: boolean
  /** EFI variable LoaderInfo, as the loader that ran last wrote it: `systemd-boot 252.39`. */
  readonly loaderInfo?: string
  /** EFI variable StubInfo: a unified kernel image was booted. */
  readonly stubInfo?: string
  /** Absolute paths that exist, of those that are looked for. */
  readonly present: readonly string[]
  /** Names in /boot, for the images a generator will write. */
  readonly bootNames: readonly string[]
  /**
   * The lines inside the entry of grub.cfg that started this kernel; never the rest, which may hold password
   * hashes.
   */
  readonly grubEntry?: string
  /**
   * custom.cfg beside grub.cfg: does grub.cfg read it, and its text when handover wrote it (`null`: someone
   * else did).
   */
  readonly grubReadsCustom?: boolean
  readonly grubCustom?: string | null
  /** Where GRUB's environment block really is, when it is a link (Fedora kept it on the ESP). */
  readonly grubEnvironmentPath?: string
  /** What `$kernelopts` in an entry of /boot/loader/entries stands for: from GRUB's environment block. */
  readonly kernelOptions?: string
  /** EFI variables of the Boot Loader Interface that name entries. */
  readonly loaderEntries?: LoaderEntries
  /** The initramfs of each entry of the Boot Loader Specification. */
  readonly entryImages?: readonly EntryImage[]
  /** Free on the partition of those entries. */
  readonly entriesFreeBytes?: number
  /** Unified kernel images in the folder where boot loaders look for them; absent when there are none. */
  readonly unified?: {
    readonly folder: string
    readonly images: readonly UnifiedImage[]
    readonly freeBytes?: number
    /** The administrator's own hooks of kernel-install: what they do with an image is not known. */
    readonly hooks: readonly string[]
  }
  /** The firmware starts only what is signed; absent without that EFI variable. */
  readonly secureBoot?: boolean
  /** Why the last trial boot was given up. */
  readonly trialResult?: string
  /** The loader's one-shot choice is the trial: the next boot starts it. */
  readonly trialIsNext?: boolean
  /**
   * File system that holds /boot/grub (or grub2), and the block device: GRUB writes its environment only on
   * plain ones.
   */
  readonly grubFilesystem?: { readonly type: string; readonly device: string }
}
