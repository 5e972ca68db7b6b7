/**
 * ukify makes unified images when kernel-install runs it (`layout=uki`). The arguments are in
 * /etc/kernel/cmdline; an optional file, uki.conf, names the keys for signing.
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

/** The initramfs that goes into the trial's image. */
const trialInitramfs = `${trialFolder}/initrd.img`
/** In memory. kernel-install builds here, then the image is copied beside the good one and renamed. */
const stagingRoot = '/run/handover-boot'

const forEveryKernel = 'run for every kernel: kernel-install add VERSION /lib/modules/VERSION/vmlinuz'

/** For every generator that kernel-install runs. */
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

/** kernel-install is configured to make unified images, by any generator (install.conf(5)). */
export function installsUnified(files: readonly HostFile[]): boolean {
  return files.some(({ path, text }) => path === installConfig && /^\s*layout=["']?uki\b/m.test(text))
}

/**
 * ukify is the default generator (kernel-install(8)). Boot counting changes the names of images, so hosts
 * that use it are excluded.
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
 * Without the file, kernel-install gives an image the running command line, which on a trial boot is that of
 * the trial.
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

/**
 * On Debian, kernel-install takes the initramfs from /boot (55-initrd.install); elsewhere a generator makes
 * one.
 */
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
