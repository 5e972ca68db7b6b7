import fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { entryId, readEntry, triesLeft } from '../../../src/boot/loaders/bls.ts'
import { hasArg, parseCmdline } from '../../../src/boot/cmdline.ts'
import { findStartedEntry, makeTrialEntryFile } from '../../../src/boot/loaders/systemd-boot.ts'
import { whyTrialMayBeDefault } from '../../../src/boot/loaders/default-entry.ts'
import { expandVariables, parseGrubEnvironment } from '../../../src/boot/loaders/grub-environment.ts'
import { makeTrialEntryFromBls } from '../../../src/boot/loaders/grub-menu.ts'

/** As kernel-install writes it (90-loaderentry.install of systemd 252). */
const debian = `title      Debian GNU/Linux 12 (bookworm)
version    6.1.0-2-amd64
machine-id 0123456789abcdef0123456789abcdef
sort-key   debian
options    root=UUID=1-2 ro intel_iommu=off quiet systemd.machine_id=0123456789abcdef0123456789abcdef
linux      /0123456789abcdef0123456789abcdef/6.1.0-2-amd64/linux
initrd     /0123456789abcdef0123456789abcdef/6.1.0-2-amd64/initrd.img-6.1.0-2-amd64
`
const fedora = `title Fedora Linux (6.8.5) 40
version 6.8.5
linux /vmlinuz-6.8.5
initrd /initramfs-6.8.5.img $tuned_initrd
options root=UUID=1-2 ro rhgb quiet $tuned_params
grub_users $grub_users
grub_class fedora
`
const wish = { add: ['intel_iommu=on'], remove: ['intel_iommu=off'], initramfs: 'handover-trial.img' }
const token = '/boot/efi/loader/entries/0123456789abcdef0123456789abcdef-6.1.0-2-amd64'

describe('an entry of the Boot Loader Specification', () => {
  it('is read as its keys', () =>
    expect(readEntry(debian)).toEqual({
      version: '6.1.0-2-amd64',
      sortKey: 'debian',
      linux: '/0123456789abcdef0123456789abcdef/6.1.0-2-amd64/linux',
      initrds: ['/0123456789abcdef0123456789abcdef/6.1.0-2-amd64/initrd.img-6.1.0-2-amd64'],
      options: 'root=UUID=1-2 ro intel_iommu=off quiet systemd.machine_id=0123456789abcdef0123456789abcdef',
    }))

  it.each([
    ['/x/TOKEN-6.1.conf', 'token-6.1.conf', undefined],
    ['/x/TOKEN-6.1+3.conf', 'token-6.1.conf', 3],
    ['/x/TOKEN-6.1.0+2-1.conf', 'token-6.1.0.conf', 2],
    ['/x/TOKEN-6.1.0+0-3.conf', 'token-6.1.0.conf', 0],
    ['TOKEN-6.1.0+deb12.conf', 'token-6.1.0+deb12.conf', undefined],
    ['uki+1-2.efi', 'uki.efi', 1],
  ])('%s has the id %s and %s tries left', (path, id, tries) => {
    expect(entryId(path)).toBe(id)
    expect(triesLeft(path)).toBe(tries)
  })
})

describe('the trial entry of systemd-boot', () => {
  it('is the good entry with its own arguments and initramfs, and without a place in the order', () =>
    expect(makeTrialEntryFile(debian, wish)).toEqual({
      ok: true,
      text: `# Written by handover. To undo: handover rollback.
title Handover: trial boot
machine-id 0123456789abcdef0123456789abcdef
linux      /0123456789abcdef0123456789abcdef/6.1.0-2-amd64/linux
initrd /0123456789abcdef0123456789abcdef/6.1.0-2-amd64/handover-trial.img
options root=UUID=1-2 ro quiet systemd.machine_id=0123456789abcdef0123456789abcdef intel_iommu=on panic=30 rd.shell=0 rd.emergency=reboot handover.trial=1
`,
    }))

  it('keeps microcode before the initramfs, joins options, and reads carriage returns', () =>
    expect(
      makeTrialEntryFile(
        'title A\r\nlinux /vmlinuz-linux\r\ninitrd /intel-ucode.img\r\ninitrd /initramfs-linux.img\r\noptions root=/dev/sda2\r\noptions rw\r\n',
        wish,
      ),
    ).toEqual({
      ok: true,
      text: `# Written by handover. To undo: handover rollback.
title Handover: trial boot
linux /vmlinuz-linux
initrd /intel-ucode.img
initrd /handover-trial.img
options root=/dev/sda2 rw intel_iommu=on panic=30 rd.shell=0 rd.emergency=reboot handover.trial=1
`,
    }))

  it.each([
    ['linux /vmlinuz\noptions a\n', 'the entry has no initramfs'],
    ['efi /shell.efi\n', 'the entry names no kernel'],
  ])('is not made of %j', (text, reason) =>
    expect(makeTrialEntryFile(text, wish)).toEqual({ ok: false, reason }),
  )
})

describe('the entry that started this machine', () => {
  const other = {
    path: token.replace('6.1.0-2', '6.1.0-1') + '.conf',
    text: debian.replaceAll('6.1.0-2', '6.1.0-1'),
  }
  const entries = [{ path: `${token}+2-1.conf`, text: debian }, other]
  const cmdline = `initrd=\\0123456789abcdef0123456789abcdef\\6.1.0-2-amd64\\initrd.img-6.1.0-2-amd64 root=UUID=1-2 ro intel_iommu=off quiet systemd.machine_id=0123456789abcdef0123456789abcdef`

  it.each([
    [
      'the loader says so, though a counter moved on since',
      '0123456789ABCDEF0123456789abcdef-6.1.0-2-amd64+3.conf',
      '',
    ],
    ['only its initramfs is on the command line', undefined, cmdline],
  ])('is known when %s', (_, selected, running) =>
    expect(findStartedEntry(entries, { selected, cmdline: running })?.path).toBe(`${token}+2-1.conf`),
  )

  it.each([
    ['another system was booted', 'auto-windows', cmdline],
    ['two entries fit', undefined, cmdline.replace(/initrd=\S+ /, '')],
    ['arguments were typed away in the menu', undefined, cmdline.replace(' ro', '')],
  ])('is not guessed when %s', (_, selected, running) =>
    expect(findStartedEntry(entries, { selected, cmdline: running })).toBeUndefined(),
  )
})

describe('what is booted when nothing is chosen', () => {
  const unsorted = {
    path: '/boot/loader/entries/arch.conf',
    text: 'linux /vmlinuz-linux\ninitrd /i\noptions a\n',
  }
  const sorted = { path: `${token}.conf`, text: debian }
  const loaderInfo = 'systemd-boot 252.39'
  const nothing =
    'no setting names the entry that systemd-boot starts by default, so it might be the trial: name the good one in loader.conf (default NAME.conf)'
  const saved =
    'systemd-boot starts the entry again that was started last (default @saved), so a bad trial would be started again and again'

  it.each<[string, Partial<Parameters<typeof whyTrialMayBeDefault>[0]>, string | undefined]>([
    ['an entry with a sort-key stands before the trial', { entries: [sorted] }, undefined],
    ['without sort-keys nobody knows', { entries: [unsorted] }, nothing],
    [
      'a name that begins with a digit stands before ours',
      { entries: [{ ...unsorted, path: '/x/2024-06-01_linux.conf' }] },
      undefined,
    ],
    ['so does a later letter', { entries: [{ ...unsorted, path: '/x/Linux.conf' }] }, undefined],
    [
      'loader.conf names one',
      { entries: [unsorted], loaderConf: 'timeout 3\ndefault arch.conf\n' },
      undefined,
    ],
    ['loader.conf names a pattern', { entries: [unsorted], loaderConf: 'default  arch*\n' }, undefined],
    ['a comment names nothing', { entries: [unsorted], loaderConf: '#default arch.conf\n' }, nothing],
    [
      'loader.conf names one that is gone',
      { entries: [unsorted], loaderConf: 'default gone.conf\n' },
      nothing,
    ],
    ['the last one booted is booted again', { entries: [sorted], loaderConf: 'default @saved\n' }, saved],
    ['the same by a variable', { entries: [sorted], variables: ['@saved'] }, saved],
    [
      'a pattern means the trial, too',
      { entries: [sorted], loaderConf: 'default *\n' },
      '*, the default entry of systemd-boot, also matches the trial',
    ],
    [
      'the variable comes first',
      { entries: [sorted], variables: [entryId(sorted.path)], loaderConf: 'default *\n' },
      undefined,
    ],
    [
      'a class in brackets is not trusted to mean the good one',
      { entries: [unsorted], loaderConf: 'default [ab]rch.conf\n' },
      nothing,
    ],
    [
      'a class in brackets may mean ours',
      { entries: [sorted], loaderConf: 'default [a-z]andover*\n' },
      '[a-z]andover*, the default entry of systemd-boot, also matches the trial',
    ],
    ['an old loader knows no sort-keys', { entries: [sorted], loaderInfo: 'systemd-boot 249.11' }, nothing],
    ['tries of the good entry are used up', { entries: [{ ...sorted, path: `${token}+0-3.conf` }] }, nothing],
  ])('%s', (_, choice, expected) =>
    expect(
      whyTrialMayBeDefault({ loaderInfo, variables: [], loaderConf: undefined, entries: [], ...choice }),
    ).toBe(expected),
  )
})

const hostile = fc.string({
  unit: fc.constantFrom(
    '*',
    '?',
    '[',
    ']',
    'a',
    'default ',
    '@saved',
    '\n',
    '\r',
    '\t',
    ' ',
    'options ',
    'linux /v',
    'initrd /i',
    '$',
    '{',
    '}',
    '=',
    '\\',
    '+1-2',
    '.conf',
    '#',
    '"',
  ),
  maxLength: 60,
})

it('no trial is made from an initramfs that is no path', () =>
  expect(makeTrialEntryFile('initrd /i *\nlinux /v', wish)).toMatchObject({ ok: false }))

it('nothing that stands in entries, loader.conf or variables is thrown at or takes long', () => {
  fc.assert(
    fc.property(hostile, hostile, hostile, hostile, (name, text, loaderConf, variable) => {
      const entries = [{ path: `/boot/loader/entries/${name}`, text }]
      readEntry(text)
      entryId(name)
      findStartedEntry(entries, { selected: variable, cmdline: text })
      findStartedEntry(entries, { cmdline: variable })
      whyTrialMayBeDefault({ loaderInfo: variable, variables: [variable], loaderConf, entries })
      makeTrialEntryFromBls(text, wish, parseGrubEnvironment(loaderConf))
      const made = makeTrialEntryFile(text, wish)
      if (!made.ok) return made.reason !== ''
      // Whatever it was made of: it is ours, boots its own initramfs and carries the token.
      const trial = readEntry(made.text)
      return (
        trial.sortKey === undefined &&
        trial.initrds.at(-1)?.endsWith('/handover-trial.img') === true &&
        hasArg(parseCmdline(trial.options), 'handover.trial=1')
      )
    }),
    { numRuns: 3000 },
  )
  const many = `default ${'*a'.repeat(2000)}\n`
  const entries = [{ path: `/x/${'a'.repeat(250)}.conf`, text: 'linux /v\n' }]
  expect(
    whyTrialMayBeDefault({ loaderInfo: undefined, variables: [], loaderConf: many, entries }),
  ).toBeDefined()
})

describe('the trial entry of a GRUB with entries', () => {
  it('does what blscfg does, with its own arguments and initramfs', () =>
    expect(makeTrialEntryFromBls(fedora.replace(' $tuned_initrd', ''), wish, {})).toEqual({
      ok: true,
      text: `# Written by handover. To undo: handover rollback.
menuentry 'Handover: trial boot' --id handover-trial {
	load_video
	set gfxpayload=keep
	insmod gzio
	linux /vmlinuz-6.8.5 root=UUID=1-2 ro rhgb quiet $tuned_params intel_iommu=on panic=30 rd.shell=0 rd.emergency=reboot handover.trial=1
	initrd /handover-trial.img
}
`,
    }))

  it('knows $kernelopts from the environment block, and leaves other variables to GRUB', () => {
    const block =
      '# GRUB Environment Block\nsaved_entry=x\nkernelopts=root=UUID=1-2 ro intel_iommu=off a\\\\b\n####'
    expect(parseGrubEnvironment(block)).toEqual({
      saved_entry: 'x',
      kernelopts: 'root=UUID=1-2 ro intel_iommu=off a\\b',
    })
    const { kernelopts = '' } = parseGrubEnvironment(block)
    expect(expandVariables('$kernelopts ${tuned_params}', { kernelopts })).toBe(
      `${kernelopts} \${tuned_params}`,
    )
    const entry = makeTrialEntryFromBls('linux /v\ninitrd /i\noptions $kernelopts\n', wish, { kernelopts })
    expect(entry.ok && entry.text).toContain('linux /v root=UUID=1-2 ro a\\b intel_iommu=on panic=30')
  })

  it('refuses options that GRUB would read as commands', () =>
    expect(makeTrialEntryFromBls('linux /v\ninitrd /i\noptions a;b\n', wish, {})).toMatchObject({
      ok: false,
    }))
})
