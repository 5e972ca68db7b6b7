/**
 * A trial of a unified kernel image: a second image beside the good ones, with an initramfs and arguments of its own, which
 * systemd-boot is told to start once. Where the firmware starts the image by itself there is nobody to tell.
 */
import { hasPath } from '../boot-paths.ts'
import { entryId } from '../loaders/bls.ts'
import { trialArgs } from './trial-args.ts'
import { whyImageMayBeDefault, type ImageChoice } from './trial-entries.ts'
import { makeTrialImage, trialImageName, unifiedTrialFiles, type UkiMaker } from '../makers/unified.ts'
import type { BootFacts, UnifiedImage } from '../../host/boot-facts.ts'
import type { Host } from '../../host/host.ts'
import { filesIn, type BootChange } from '../loaders/boot-steps.ts'
import { makeImage } from '../initramfs/initramfs-steps.ts'
import { ownFileSteps } from '../own-file-steps.ts'
import type { Step } from '../../steps/step.ts'
import { chooseOnce, no, whyTooSmall, type TrialWay } from './trial-way.ts'
import { findUkiMaker, kernelOf, lacksSignature } from '../makers/uki-maker.ts'

export function unifiedWay(host: Host, change: BootChange): TrialWay {
  const { boot } = host
  const maker = findUkiMaker(host)
  if (maker === undefined || boot?.unified === undefined)
    return no('arguments and initramfs are inside the kernel image, and what makes the images here is not known')
  const obstacle = whyNoSecondImage(host, boot, maker)
  if (obstacle !== undefined) return no(obstacle)
  const { folder, images, freeBytes } = boot.unified
  const started = findStarted(boot.loaderEntries?.selected, images)
  if (started === undefined) return no(`no single image of ${folder} started the running kernel`)
  if (started.release !== undefined && started.release !== host.kernel.release)
    return no(
      `${started.name}, which was booted, is for another kernel than the running ${host.kernel.release ?? 'one'}`,
    )
  const danger = whyImageMayBeDefault(defaultsOf(host, folder, images), started.name)
  if (danger !== undefined) return no(danger)
  const cramped = whyTooSmall(started.bytes, freeBytes, { where: folder, what: 'a second kernel image' })
  if (cramped !== undefined) return no(cramped, 'make room there (kernels that are not needed any more)')
  const image = `${folder}/${trialImageName}`
  const files = unifiedTrialFiles(maker, trialArgs(host.kernel.cmdline ?? '', change))
  return {
    ok: true,
    prepare: ownFileSteps(files, host.files ?? [], 'the kernel arguments of the trial'),
    make: (tool, release) => {
      const given = { ...kernelOf(host, release), makeInitramfs: (path: string) => makeImage(tool, path, release) }
      const why = 'a kernel image for the trial alone'
      return makeTrialImage(maker, image, given).map((making): Step => ({ kind: 'command', ...making, why }))
    },
    entry: [],
    choose: chooseOnce(boot.loaderEntries?.oneShot, trialImageName),
  }
}

function whyNoSecondImage(host: Host, boot: BootFacts, maker: UkiMaker): string | undefined {
  if (boot.loaderInfo?.startsWith('systemd-boot') !== true)
    return 'the firmware itself starts the kernel image, and is not told to start another one for one boot'
  if (!hasPath(boot.present, '/usr/bin/bootctl')) return 'there is no bootctl to choose an image for one boot'
  if (lacksSignature(host, maker)) return 'Secure Boot is on, and nothing says which key signs a second kernel image'
  return undefined
}

function findStarted(selected: string | undefined, images: readonly UnifiedImage[]): UnifiedImage | undefined {
  if (selected === undefined) return undefined
  const found = images.filter(({ name }) => name !== trialImageName && entryId(name) === entryId(selected))
  return found.length === 1 ? found[0] : undefined
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

/** What a trial left where the loader reads. */
export function unifiedTrialImage(host: Host): string {
  return `${host.boot?.unified?.folder ?? '/boot/EFI/Linux'}/${trialImageName}`
}
