/**
 * Unified kernel images contain the arguments and the initramfs. The configuration of their maker is edited,
 * and the images are rebuilt. When no maker is known, or its images might not start, the user gets an
 * instruction. The trial is a second image that systemd-boot starts once. When the firmware starts the image
 * itself, there is no trial.
 */
import type { BootFacts, UnifiedImage } from '../../host/boot-facts.ts'
import type { Host } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import { hasPath } from '../boot-paths.ts'
import { filesIn, manual, type BootChange, type Edits } from '../edits.ts'
import { kernelCmdlinePath } from '../kernel-cmdline.ts'
import { kernelOf } from '../makers/known-images.ts'
import { lacksSignature, type ByHand, type UkiMaker } from '../makers/maker.ts'
import { installsUnified, kernelInstallByHand } from '../makers/ukify.ts'
import { ownFileSteps } from '../own-file-steps.ts'
import { trialArgs } from '../trial/trial-args.ts'
import { no, noRoom, type TrialWay } from '../trial/trial-way.ts'
import { trialImageName } from '../trial/trial.ts'
import { entryId } from './bls.ts'
import { whyImageMayBeDefault, type ImageChoice } from './default-entry.ts'
import { grubName } from './grub-custom.ts'
import { chooseOnce } from './loader-interface.ts'
import type { BootSituation, Loader, LoaderKind } from './loader.ts'

export const unifiedName = 'unified kernel images'

/** Also recognised by its configuration alone, unless GRUB ran or there are entries. */
export const unified: LoaderKind = {
  name: unifiedName,
  detect: ({ has, ran, entries }) =>
    ran === unifiedName || (ran !== grubName && has('/etc/kernel/uki.conf') && entries === undefined)
      ? { loader, isCertain: true }
      : undefined,
}

const loader: Loader = {
  name: unifiedName,
  edit,
  trial,
  remake: ({ host, maker }, tool) => maker?.remake(host, tool) ?? [],
  remakesRunning: ({ host, maker }) => maker?.makesRunning(host) === true,
  leftovers: ({ host }) => ({
    entries: [],
    image: `${host.boot?.unified?.folder ?? '/boot/EFI/Linux'}/${trialImageName}`,
  }),
}

function edit(boot: BootSituation, change: BootChange): Edits {
  const { host, maker, tool } = boot
  if (maker === undefined || !maker.makesRunning(host)) return sayWhatToDo(boot, change)
  if (lacksSignature(host, maker, 'good'))
    return manual(
      'unified kernel images under Secure Boot, and the key that signs them is not known',
      'change the kernel command line in the configuration of your signing tool: ARGS; then ' +
        'rebuild and sign every image',
      change,
    )
  const edits = maker.edit(host.files ?? [], change)
  if (!edits.ok || edits.steps.length === 0) return edits
  return { ok: true, steps: [...edits.steps, ...maker.remake(host, tool)] }
}

function sayWhatToDo(boot: BootSituation, change: BootChange): Edits {
  const { path, run } = byHand(boot)
  // Often only root can read an EFI system partition.
  const sight = boot.host.boot?.unified === undefined ? ', none of which can be seen (root may see more)' : ''
  return manual(
    `unified kernel images that handover cannot rebuild${sight}`,
    `${path}: ARGS; then ${run}`,
    change,
  )
}

function byHand({ host, maker }: BootSituation): ByHand {
  if (maker !== undefined) return maker.byHand
  if (installsUnified(host.files ?? [])) return kernelInstallByHand
  return { path: `in ${kernelCmdlinePath}`, run: 'make the image again' }
}

function trial({ host, maker }: BootSituation, change: BootChange): TrialWay {
  const { boot } = host
  if (maker === undefined || boot?.unified === undefined)
    return no(
      'arguments and initramfs are inside the kernel image, and the tool that makes the images is not known',
    )
  const obstacle = whyNoSecondImage(host, boot, maker)
  if (obstacle !== undefined) return no(obstacle)
  const { folder, images, freeBytes } = boot.unified
  const started = findStarted(boot.loaderEntries?.selected, images)
  if (started === undefined) return no(`no single image of ${folder} started the running kernel`)
  const { release: running } = host.kernel
  if (started.release !== undefined && started.release !== running)
    return no(`${started.name}, which was booted, is for another kernel than the running ${running ?? 'one'}`)
  const danger = whyImageMayBeDefault(defaultsOf(host, folder, images), started.name)
  if (danger !== undefined) return no(danger)
  const cramped = noRoom(started.bytes, freeBytes, { where: folder, what: 'a second kernel image' })
  if (cramped !== undefined) return cramped
  const files = maker.trialFiles(trialArgs(host.kernel.cmdline ?? '', change))
  return {
    ok: true,
    prepare: ownFileSteps(files, host.files ?? [], 'the kernel arguments of the trial'),
    make: makeSecond(host, maker, `${folder}/${trialImageName}`),
    entry: [],
    choose: chooseOnce(boot.loaderEntries?.oneShot, trialImageName),
  }
}

function whyNoSecondImage(host: Host, boot: BootFacts, maker: UkiMaker): string | undefined {
  if (boot.loaderInfo?.startsWith('systemd-boot') !== true)
    return 'the firmware itself starts the kernel image, and handover cannot select another one for one boot'
  if (!hasPath(boot.present, '/usr/bin/bootctl')) return 'there is no bootctl to choose an image for one boot'
  if (lacksSignature(host, maker, 'trial'))
    return 'Secure Boot is on, and the key that signs a second kernel image is not known'
  return undefined
}

function findStarted(
  selected: string | undefined,
  images: readonly UnifiedImage[],
): UnifiedImage | undefined {
  if (selected === undefined) return undefined
  const found = images.filter(({ name }) => name !== trialImageName && entryId(name) === entryId(selected))
  return found.length === 1 ? found[0] : undefined
}

function makeSecond(host: Host, maker: UkiMaker, image: string): Extract<TrialWay, { ok: true }>['make'] {
  const why = 'make a kernel image for the trial only'
  return (tool, release) => {
    const given = { ...kernelOf(host, release), makeInitramfs: (path: string) => tool.make(path, release) }
    return maker.makeTrial(host, image, given).map((making): Step => ({ kind: 'command', ...making, why }))
  }
}

function defaultsOf(host: Host, folder: string, images: readonly UnifiedImage[]): ImageChoice {
  const { loaderInfo, loaderEntries } = host.boot ?? {}
  const root = folder.slice(0, -'/EFI/Linux'.length)
  const confs = (host.files ?? []).filter(({ path }) => path.endsWith('/loader/loader.conf'))
  const conf = confs.find(({ path }) => path === `${root}/loader/loader.conf`) ?? confs[0]
  return {
    loaderInfo,
    variables: [loaderEntries?.preferred, loaderEntries?.default],
    loaderConf: conf?.text,
    entries: filesIn(host, `${root}/loader/entries`),
    images: images.map(({ name }) => name),
  }
}
