/**
 * ukify as a maker of unified images: called by kernel-install (`layout=uki`), with the arguments of
 * /etc/kernel/cmdline and, where there is one, a file of its own that names keys for signing.
 */
import type { Host, HostFile } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import { hasPath } from '../boot-paths.ts'
import { manual, type BootChange, type Edits } from '../edits.ts'
import { remakeOne } from '../initramfs/images.ts'
import type { InitramfsTool, Making } from '../initramfs/tool.ts'
import { kernelCmdlineEdits, kernelCmdlinePath } from '../kernel-cmdline.ts'
import { freshOf, kernelOf, knownImages, replaceImage, type KnownImage } from './known-images.ts'
import {
  inNoFile,
  trialCmdlineFile,
  trialCmdlinePath,
  trialFolder,
  type ByHand,
  type TrialKernel,
  type UkiMaker,
} from './maker.ts'

const ownConfig = '/etc/kernel/uki.conf'
const installConfig = '/etc/kernel/install.conf'

/** An initramfs on its way into an image. */
const trialInitramfs = `${trialFolder}/initrd.img`
/** In memory: what kernel-install makes here is copied beside the good image and renamed over it. */
const stagingRoot = '/run/handover-boot'

const forEveryKernel = 'run for every kernel: kernel-install add VERSION /lib/modules/VERSION/vmlinuz'

/** The same for every generator that kernel-install calls. */
export const kernelInstallByHand: ByHand = { path: `in ${kernelCmdlinePath}`, run: forEveryKernel }

export const ukifyMaker: UkiMaker = {
  name: 'ukify',
  isUsed,
  edit,
  byHand: kernelInstallByHand,
  makesRunning: (host) => imagesOf(host).some(({ release }) => release === host.kernel.release),
  signs: ({ files = [] }) =>
    files.some(
      ({ path, text }) =>
        path === ownConfig && /^\s*SecureBoot(?:PrivateKey|CertificateName)\s*=/m.test(text),
    ),
  remake: (host, tool) => imagesOf(host).flatMap((image) => remakeImage(host, image, tool)),
  trialFiles: trialCmdlineFile,
  makeTrial,
}

/** kernel-install is to make unified images (install.conf(5)), by whatever tool. */
export function installsUnified(files: readonly HostFile[]): boolean {
  return files.some(({ path, text }) => path === installConfig && /^\s*layout=["']?uki\b/m.test(text))
}

/**
 * ukify is the generator unless another is named (kernel-install(8)); boot counting renames what we would
 * look for.
 */
function isUsed({ files = [], boot }: Host): boolean {
  const generator = files
    .filter(({ path }) => path === installConfig)
    .map(({ text }) => /^\s*uki_generator=["']?(\w+)/m.exec(text)?.[1])[0]
  return (
    installsUnified(files) &&
    (generator === undefined || generator === 'ukify') &&
    hasPath(boot?.present, '/usr/bin/ukify') &&
    !hasPath(boot?.present, '/etc/kernel/tries') &&
    boot?.unified?.hooks.length === 0
  )
}

/**
 * kernel-install gives an image the running command line where the file is not there: on a trial boot, the
 * trial's.
 */
function edit(files: readonly HostFile[], change: BootChange): Edits {
  const how =
    `write the whole command line (as in /proc/cmdline) into ${kernelCmdlinePath}: ARGS; ` +
    `then ${forEveryKernel}`
  return kernelCmdlineEdits({ files }, change) ?? manual(inNoFile, how, change)
}

function imagesOf(host: Host): KnownImage[] {
  return knownImages(host, (name, release) => name.endsWith(`-${release}.efi`))
}

function remakeImage(host: Host, { path, release }: KnownImage, tool: InitramfsTool | undefined): Step[] {
  const { kernel } = kernelOf(host, release)
  const token = tokenOf(path, release)
  const add = ['kernel-install', `--entry-token=literal:${token}`, 'add', release, kernel]
  const staged = `${stagingRoot}/EFI/Linux/${token}-${release}.efi`
  const fresh = freshOf(path)
  const making: Making[] = [
    { argv: ['env', `BOOT_ROOT=${stagingRoot}`, ...add], outputs: [staged] },
    { argv: ['cp', '-f', staged, fresh], outputs: [fresh] },
    { argv: ['rm', '-f', staged], outputs: [staged] },
  ]
  return [...remakeInitramfs(host, release, tool), ...replaceImage(path, making, add)]
}

/** Debian's kernel-install takes the initramfs from /boot (55-initrd.install); elsewhere it has one made. */
function remakeInitramfs(host: Host, release: string, tool: InitramfsTool | undefined): Step[] {
  const name = `initrd.img-${release}`
  if (tool === undefined || host.boot?.bootNames.includes(name) !== true) return []
  return remakeOne(tool, `/boot/${name}`, release)
}

/** kernel-install names an image `TOKEN-RELEASE.efi` (90-uki-copy.install). */
function tokenOf(image: string, release: string): string {
  const name = image.slice(image.lastIndexOf('/') + 1)
  return name.slice(0, name.indexOf(`-${release}`))
}

function makeTrial(
  { files = [] }: Host,
  image: string,
  { release, kernel, makeInitramfs }: TrialKernel,
): Making[] {
  const isConfigured = files.some(({ path }) => path === ownConfig)
  const build = [
    ...['ukify', 'build', ...(isConfigured ? [`--config=${ownConfig}`] : [])],
    ...[`--linux=${kernel}`, `--initrd=${trialInitramfs}`, `--cmdline=@${trialCmdlinePath}`],
    ...[`--uname=${release}`, '--os-release=@/etc/os-release', `--output=${image}`],
  ]
  return [
    { argv: makeInitramfs(trialInitramfs), outputs: [trialInitramfs] },
    { argv: build, outputs: [image] },
    { argv: ['rm', '-f', trialInitramfs], outputs: [trialInitramfs] },
  ]
}
