/**
 * How a machine boots: the part of the Host value (host.ts) that read-boot.ts and the readers beside it fill.
 */

export type LoaderEntries = {
  /** The entry that was booted. */
  readonly selected?: string
  readonly oneShot?: string
  readonly default?: string
  readonly preferred?: string
}

export type EntryImage = {
  /** Path of the entry's own file. */
  readonly entry: string
  /** Absolute path of the initramfs; the entry gives it relative to its partition. */
  readonly path: string
  readonly bytes: number
  /** The release of the kernel, if its modules are installed, so that an initramfs for it can be built. */
  readonly release?: string
}

/** A unified kernel image: kernel, initramfs and arguments in one file. */
export type UnifiedImage = {
  readonly name: string
  readonly bytes: number
  /**
   * The release of the kernel from the file name, if its modules are installed, so that the image can be
   * rebuilt.
   */
  readonly release?: string
}

/** The evidence of how this machine boots. `present` covers the fixed list of paths in boot/boot-paths.ts. */
export type BootFacts = {
  readonly efi: boolean
  /** EFI variable LoaderInfo of the boot loader that ran last: `systemd-boot 252.39`. */
  readonly loaderInfo?: string
  /** EFI variable StubInfo: a unified kernel image was booted. */
  readonly stubInfo?: string
  /** The paths of that list that exist. */
  readonly present: readonly string[]
  /** Names in /boot. They show which images a generator will write. */
  readonly bootNames: readonly string[]
  /**
   * The lines of the grub.cfg entry that started this kernel. The rest of the file is left out, since it may
   * hold password hashes.
   */
  readonly grubEntry?: string
  /**
   * Whether grub.cfg reads custom.cfg. `grubCustom` is the text of custom.cfg, or `null` if another program
   * wrote it.
   */
  readonly grubReadsCustom?: boolean
  readonly grubCustom?: string | null
  /** The real path of GRUB's environment block, if it is a link (Fedora keeps it on the ESP). */
  readonly grubEnvironmentPath?: string
  /** The value of `$kernelopts` for the entries in /boot/loader/entries, from GRUB's environment block. */
  readonly kernelOptions?: string
  /** EFI variables of the Boot Loader Interface that name entries. */
  readonly loaderEntries?: LoaderEntries
  /** The initramfs of each entry of the Boot Loader Specification. */
  readonly entryImages?: readonly EntryImage[]
  /** Free space on the partition of these entries. */
  readonly entriesFreeBytes?: number
  /** Unified kernel images in the folder where boot loaders look for them. Absent: there are none. */
  readonly unified?: {
    readonly folder: string
    readonly images: readonly UnifiedImage[]
    readonly freeBytes?: number
    /** Hooks that the administrator added to kernel-install. Their effect on an image is unknown. */
    readonly hooks: readonly string[]
  }
  /** The firmware starts only signed programs. Absent: there is no such EFI variable. */
  readonly secureBoot?: boolean
  /** The reason why the last trial boot was given up. */
  readonly trialResult?: string
  /** The next boot starts the trial: it is the loader's one-shot choice. */
  readonly trialIsNext?: boolean
  /**
   * The file system that holds /boot/grub (or grub2), and its block device. GRUB can write its environment
   * block only on some of them.
   */
  readonly grubFilesystem?: { readonly type: string; readonly device: string }
}
