/**
 * Finds the disks that the kernel command line and the initramfs need at the next start: the one from which
 * hibernation resumes, and those with keys and headers of encrypted volumes.
 */
import { namesIn, textOf, type Reading } from '../../read/reading.ts'
import { devicesOfKey, parseCrypttab } from './crypttab.ts'
import { namesInSource, textOfSource } from '../sources.ts'
import type { NamedDisk } from './named-disks.ts'

export function readBootArguments(reading: Reading): NamedDisk[] {
  const words = wordsOf(textOfSource(reading, '/proc/cmdline', 65_536))
  return [
    ...resumeDisks(reading, words),
    ...keysOfArguments(words),
    ...volumesOfArguments(reading, words),
    ...keysOfCrypttab(reading),
    ...extraMounts(words),
  ]
}

/** Double quotes keep blanks in an argument (lib/cmdline.c, `next_arg`). */
function wordsOf(cmdline: string): string[] {
  return [...cmdline.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''))
}

function valuesOf(words: readonly string[], name: string): string[] {
  return words.filter((word) => word.startsWith(`${name}=`)).map((word) => word.slice(name.length + 1))
}

const resume = 'hibernation (resume=)'

/**
 * The last argument wins (kernel/power/hibernate.c, `resume_setup`); without one, initramfs-tools has a file.
 */
function resumeDisks(reading: Reading, words: readonly string[]): NamedDisk[] {
  const found: NamedDisk[] = []
  const kernel = textOf(reading, '/sys/power/resume')
  if (kernel !== undefined && /^[1-9]\d*:\d+$/.test(kernel)) found.push(disk(resume, [kernel]))
  if (words.includes('noresume')) return found
  const last = valuesOf(words, 'resume').at(-1)
  if (last !== undefined) return [...found, disk(resume, [last.replace(/^swap:/, '')])]
  for (const name of namesInSource(reading, '/etc/initramfs-tools/conf.d').slice(0, 64)) {
    const text = textOfSource(reading, `/etc/initramfs-tools/conf.d/${name}`)
    const value = [...text.matchAll(/^\s*RESUME=(\S+)/gm)].at(-1)?.[1]?.replaceAll(/["']/g, '')
    if (value !== undefined && !/^(?:none|auto)$/i.test(value))
      found.push(disk('hibernation (RESUME=)', [value]))
  }
  return found
}

function disk(what: string, names: readonly string[]): NamedDisk {
  return { what, names, weight: 'vital' }
}

/**
 * systemd-cryptsetup-generator(8): `rd.luks.key=UUID=/path:DEVICE`,
 * `rd.luks.options=UUID=header=/path:DEVICE`, `rd.luks.data=UUID=DEVICE`; dracut.cmdline(7):
 * `rd.luks.key=/path:DEVICE:VOLUME`; mkinitcpio's encrypt hook: `cryptkey=DEVICE:type:path`,
 * `cryptdevice=DEVICE:name`.
 */
function keysOfArguments(words: readonly string[]): NamedDisk[] {
  const found: NamedDisk[] = []
  const add = (what: string, value: string): void => {
    const names = devicesOfKey(value.replace(/^(?:luks-)?[0-9a-f]{8}-[0-9a-f-]{27}=/i, ''))
    if (names.length > 0) found.push(disk(what, names))
  }
  for (const name of ['rd.luks.key', 'luks.key', 'cryptkey'])
    for (const value of valuesOf(words, name)) add(`key of an encrypted volume (${name}=)`, value)
  for (const name of ['rd.luks.options', 'luks.options'])
    for (const value of valuesOf(words, name))
      for (const option of value.replace(/^[0-9a-f]{8}-[0-9a-f-]{27}=/i, '').split(','))
        if (option.startsWith('header='))
          add(`header of an encrypted volume (${name}=)`, option.slice('header='.length))
  for (const name of ['rd.luks.data', 'luks.data', 'cryptdevice'])
    for (const value of valuesOf(words, name)) add(`encrypted volume (${name}=)`, value)
  return found
}

/**
 * `rd.luks.uuid=UUID` and `rd.luks.name=UUID=NAME` (systemd-cryptsetup-generator(8)): the start waits for
 * these volumes. An unlocked volume is followed from what uses it, so it is left out here. Its map has the id
 * (`CRYPT-LUKS2-<32 digits>-NAME`, libcryptsetup).
 */
function volumesOfArguments(reading: Reading, words: readonly string[]): NamedDisk[] {
  const found: NamedDisk[] = []
  for (const name of ['rd.luks.uuid', 'luks.uuid', 'rd.luks.name', 'luks.name'])
    for (const value of valuesOf(words, name)) {
      const id = /^(?:luks-|UUID=)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:=|$)/i
        .exec(value)?.[1]
        ?.toLowerCase()
      if (id !== undefined && !isUnlocked(reading, id))
        found.push(disk(`encrypted volume (${name}=)`, [`UUID=${id}`]))
    }
  return found
}

function isUnlocked(reading: Reading, id: string): boolean {
  const digits = id.replaceAll('-', '')
  return namesIn(reading, '/sys/class/block').some(
    (name) =>
      name.startsWith('dm-') &&
      textOf(reading, `/sys/class/block/${name}/dm/uuid`)?.includes(digits) === true,
  )
}

/**
 * The volumes that are unlocked at every start, with their keys and headers. Those with `noauto` wait for a
 * person.
 */
function keysOfCrypttab(reading: Reading): NamedDisk[] {
  return parseCrypttab(textOfSource(reading, '/etc/crypttab')).flatMap(
    ({ name, source, key, options }): NamedDisk[] => {
      const weight = options.includes('noauto') ? 'spoken-for' : 'vital'
      const header = options.find((option) => option.startsWith('header='))?.slice('header='.length)
      const parts = [
        { what: `encrypted volume ${name} in /etc/crypttab`, names: [source], mapping: name },
        { what: `key of ${name} in /etc/crypttab`, names: devicesOfKey(key ?? '') },
        { what: `header of ${name} in /etc/crypttab`, names: devicesOfKey(header ?? '') },
      ]
      return parts.filter(({ names }) => names.length > 0).map((part) => ({ ...part, weight }))
    },
  )
}

/**
 * systemd.mount-extra=WHAT:WHERE[:TYPE[:OPTIONS]] and systemd.swap-extra=WHAT (systemd-fstab-generator(8)).
 */
function extraMounts(words: readonly string[]): NamedDisk[] {
  const mounts = ['systemd.mount-extra', 'rd.systemd.mount-extra'].flatMap((name) => valuesOf(words, name))
  const swaps = ['systemd.swap-extra', 'rd.systemd.swap-extra'].flatMap((name) => valuesOf(words, name))
  return [
    ...mounts.map((value) => ({
      what: `${value.split(':')[1] ?? ''} on the command line`,
      names: [value.split(':')[0] ?? ''],
    })),
    ...swaps.map((value) => ({ what: 'swap on the command line', names: [value.split(':')[0] ?? ''] })),
    ...valuesOf(words, 'pstore_blk.blkdev').map((value) => ({
      what: 'crash log of the kernel (pstore_blk)',
      names: [value],
    })),
  ].map((one) => ({ ...one, weight: 'spoken-for' }))
}
