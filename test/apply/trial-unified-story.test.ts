/**
 * Hosts that boot unified kernel images by systemd-boot, in a temporary tree, from "IOMMU off" to a confirmed
 * trial and back: images that dracut makes, and those that kernel-install makes with ukify. The makers are
 * stand-ins that write what goes into an image as text; lab/reboot-unified.yaml and lab/reboot-ukify.yaml
 * boot images of the real ones.
 */
import * as fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { oneShotVariable } from '../../src/boot/loaders/loader-interface.ts'
import { planBoot, planConfirm } from '../../src/plan/changes/plan-boot.ts'
import { identityOf } from '../support/fake-kernel.ts'
import { kernel, loaderHost } from '../support/loader-host.ts'
import { nic, planOf, unplanned } from '../support/transactions.ts'

const images = '/boot/efi/EFI/Linux'
const trialImage = `${images}/handover-trial.efi`
const options = 'root=UUID=1 ro intel_iommu=off quiet'
const tried = 'root=UUID=1 ro quiet intel_iommu=on panic=30 rd.shell=0 rd.emergency=reboot handover.trial=1'
const kept = 'root=UUID=1 ro quiet intel_iommu=on'

const machine = loaderHost()
const { at, put, changed, paths, system, host, read, end, remember, loaderVariable: variable } = machine
const wish = { identities: [identityOf(nic)], trial: true }

/** An image as text: its arguments, and the bindings of its initramfs. */
const generators: Record<string, string> = {
  dracut: `args=; for a in "$@"; do [ "$before" = --confdir ] && dir=$a; before=$a; done
    for release in "$@"; do out=$image; image=$release; done
    for f in "$R"/etc/dracut.conf.d/*.conf; do . "$f"; done
    [ -n "$dir" ] && for f in "$R$dir"/*.conf; do sed 's,/etc/dracut.conf.d,/nothing,' "$f" > "$R/dev/conf"; . "$R/dev/conf"; done
    { echo $kernel_cmdline; cat "$R"/etc/handover/bindings 2>/dev/null || :; } > "$R$out"`,
  mkinitramfs: 'cat "$R"/etc/handover/bindings > "$R$2" 2>/dev/null || :',
  ukify: `for a in "$@"; do case $a in --initrd=*) i=\${a#*=} ;; --cmdline=@*) c=\${a#*@} ;; --output=*) o=\${a#*=} ;; esac; done
    cat "$R$c" "$R$i" > "$R$o"`,
  env: `t=\${3#*literal:} o=$R\${1#*=}/EFI/Linux; /bin/mkdir -p "$o"; cat "$R/etc/kernel/cmdline" "$R/boot/initrd.img-$5" > "$o/$t-$5.efi"`,
  mv: 'exec /bin/mv -f "$R$2" "$R$3"',
  cp: 'exec /bin/cp -f "$R$2" "$R$3"',
  rm: 'exec /bin/rm -f "$R$2"',
  bootctl: `if [ -z "$2" ]; then /bin/rm -f "$R${oneShotVariable}"
    else { printf '\\007\\000\\000\\000'; printf '%s\\0' "$2" | sed 's/./&\\x00/g'; } > "$R${oneShotVariable}"; fi`,
}

/** The loader forgets its choice, and the kernel says what it was started with. */
function start(image: string, cmdline: string): void {
  fs.rmSync(at(oneShotVariable), { force: true })
  variable('LoaderEntrySelected', image)
  machine.start(cmdline)
}

type Maker = {
  readonly name: string
  readonly present: readonly string[]
  readonly folders: readonly string[]
  readonly files: Readonly<Record<string, string>>
  /** Which file says the arguments, and how it says them. */
  readonly source: string
  readonly said: (cmdline: string) => string
  readonly good: string
  /** What its stand-in puts into the good image's place when it is run again. */
  readonly again: RegExp
}

const makers: readonly Maker[] = [
  {
    name: 'dracut',
    present: ['/usr/bin/dracut', '/usr/bin/bootctl'],
    folders: [],
    files: { '/etc/dracut.conf.d/10-uki.conf': `# mine\nuefi="yes"\nkernel_cmdline="${options}"\n` },
    source: '/etc/dracut.conf.d/10-uki.conf',
    said: (cmdline) => `# mine\nuefi="yes"\nkernel_cmdline="${cmdline}"\n`,
    good: `linux-${kernel}-0123456789abcdef0123456789abcdef.efi`,
    again: new RegExp(`^${options}\n$`),
  },
  {
    name: 'kernel-install with ukify',
    present: ['/usr/sbin/update-initramfs', '/usr/bin/bootctl', '/usr/bin/kernel-install', '/usr/bin/ukify'],
    folders: ['/etc/initramfs-tools'],
    files: {
      '/etc/kernel/install.conf': 'layout=uki\n',
      '/etc/kernel/cmdline': `${options}\n`,
      [`/boot/initrd.img-${kernel}`]: '',
      [`/boot/vmlinuz-${kernel}`]: 'kernel',
    },
    source: '/etc/kernel/cmdline',
    said: (cmdline) => `${cmdline}\n`,
    good: `debian-${kernel}.efi`,
    again: /^anew: --entry-token=literal:debian add .* \/boot\/vmlinuz-/,
  },
]

describe.each(makers)(
  'a host whose unified images come from $name',
  ({ present, folders, files, source, said, good, again }) => {
    const rescue = `${images}/rescue.efi`
    beforeEach(() => {
      machine.begin(present, folders, { cmdline: options, generators })
      for (const [path, text] of Object.entries(files)) put(path, text)
      put('/boot/efi/loader/loader.conf', `default ${good.slice(0, 6)}*\n`, 0o755)
      put(`${images}/${good}`, `${options}\n`, 0o755)
      put(rescue, 'of nobody', 0o755)
      variable('LoaderInfo', 'systemd-boot 257.1')
      variable('StubInfo', 'systemd-stub 257.1')
      variable('LoaderEntrySelected', good)
      remember()
    })
    afterEach(end)

    it('gets a second image for the trial, chosen by an EFI variable, and takes it all back', async () => {
      const plan = planBoot(host(), wish)
      expect(plan.findings).toEqual([])
      expect(await apply(planOf(plan.steps), system())).toMatchObject({ outcome: 'applied' })
      expect(unplanned(changed(), plan.steps)).toEqual([])
      expect(paths()).toEqual(expect.arrayContaining([trialImage, oneShotVariable]))
      expect(read(`${images}/${good}`)).toBe(`${options}\n`)
      expect(read(trialImage)).toContain(`${tried}\n`)
      expect(read(trialImage)).toContain('only-with handover.trial=1')
      expect(fs.existsSync(at('/run/handover-trial/initrd.img'))).toBe(false)
      expect(host().boot).toMatchObject({
        trialIsNext: true,
        loaderEntries: { oneShot: 'handover-trial.efi' },
      })
      expect(planBoot(host(), wish)).toEqual({ steps: [], findings: [], needsReboot: true })
      expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
      expect(changed()).toEqual([])
    })

    it('confirms it: the arguments and every known image, each made once; then goes back to the beginning', async () => {
      const trial = planBoot(host(), wish)
      await apply(planOf(trial.steps), system())
      fs.rmSync(at('/run/handover-trial'), { recursive: true })
      start('handover-trial.efi', tried)
      expect(planBoot(host(), wish).findings).toMatchObject([{ code: 'trial-unconfirmed' }])
      const confirm = planConfirm(host())
      const commands = confirm.steps.flatMap((step) => (step.kind === 'command' ? [step.argv.join(' ')] : []))
      expect(new Set(commands).size).toBe(commands.length)
      expect(await apply(planOf(confirm.steps), system(), { continues: '0001' })).toMatchObject({
        outcome: 'applied',
      })
      expect(read(source)).toBe(said(kept))
      expect(read(`${images}/${good}`)).toContain(`${kept}\n`)
      expect(read(`${images}/${good}`)).toContain('0000:00/1c.0/00.0 8086 10d3')
      expect(read(`${images}/${good}`)).not.toContain('only-with')
      expect(read(rescue)).toBe('of nobody')
      expect(
        paths()
          .filter((path) => !path.includes('LoaderEntrySelected'))
          .join('\n'),
      ).not.toMatch(/trial|\.handover$/)
      start(good, kept)
      expect(planBoot(host(), wish)).toEqual({ steps: [], findings: [], needsReboot: false })
      expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0002' })
      expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back', id: '0001' })
      expect(changed()).toEqual([])
    })

    it('changes the images at once when nobody wants a trial, and makes them once', async () => {
      const plan = planBoot(host(), { ...wish, trial: false })
      const commands = plan.steps.flatMap((step) => (step.kind === 'command' ? [step.argv.join(' ')] : []))
      expect(new Set(commands).size).toBe(commands.length)
      expect(await apply(planOf(plan.steps), system())).toMatchObject({ outcome: 'applied' })
      expect(unplanned(changed(), plan.steps)).toEqual([])
      expect(read(`${images}/${good}`)).toMatch(new RegExp(`^${kept}\\n[^]*0000:00/1c\\.0/00\\.0 8086 10d3`))
      expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
      expect(changed()).toEqual([])
    })

    it('makes an image anew on the way back when somebody made it anew since', async () => {
      await apply(planOf(planBoot(host(), { ...wish, trial: false }).steps), system())
      put(`${images}/${good}`, 'of a newer kernel package', 0o755)
      const anew = `#!/bin/sh\necho "anew: $*" > "${at(`${images}/${good}`)}"\n`
      put('/bin-fake/kernel-install', anew, 0o755)
      expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
      expect(paths().filter((path) => path !== `${images}/${good}`)).toEqual([])
      expect(read(`${images}/${good}`)).toMatch(again)
    })

    it.each<[string, () => void, string]>([
      [
        'the last image booted is booted again',
        () => put('/boot/efi/loader/loader.conf', 'default @saved\n', 0o755),
        'systemd-boot starts the entry again that was started last (default @saved)',
      ],
      [
        'no default is named',
        () => put('/boot/efi/loader/loader.conf', 'timeout 3\n', 0o755),
        `no setting names the image that systemd-boot starts by default, so it might be the trial: name the good one in loader.conf (default ${good})`,
      ],
      [
        'the default means the trial, too',
        () => put('/boot/efi/loader/loader.conf', 'default *.efi\n', 0o755),
        '*.efi, the default entry of systemd-boot, also matches the trial',
      ],
      [
        'the firmware starts the image itself',
        () => variable('LoaderInfo', 'something else'),
        'the firmware itself starts the kernel image',
      ],
      [
        'another image was booted than any that is there',
        () => variable('LoaderEntrySelected', 'gone.efi'),
        `no single image of ${images} started the running kernel`,
      ],
      [
        'Secure Boot is on, and no key is named',
        () => {
          const path = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c'
          put(path, '')
          fs.writeFileSync(at(path), Buffer.from([6, 0, 0, 0, 1]))
        },
        'images under Secure Boot, and the key that signs them is not known',
      ],
    ])('is refused a trial when %s, and told why', (_, change, reason) => {
      change()
      const plan = planBoot(host(), wish)
      expect(plan.steps).toEqual([])
      expect(plan.findings[0]?.message).toContain(reason)
    })
  },
)
