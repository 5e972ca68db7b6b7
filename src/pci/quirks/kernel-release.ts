/**
 * What `uname -r` says of the kernel's source, and whether a row that came in a stable update is in it. Rows
 * come with stable patch levels: 6.12.75 has what 6.12.74 lacks. Most distributions carry patches of their
 * own, so their names prove less.
 */

/** Major and minor of `uname -r`. */
export type KernelVersion = readonly [number, number]

/** With the stable patch level. */
export type KernelLevel = readonly [number, number, number]

/** The oldest and the newest series that the quirk tables were read from. */
export const kernelsRead: readonly [KernelVersion, KernelVersion] = [
  [6, 1],
  [7, 2],
]

export type Kernel = {
  readonly version: KernelVersion
  /**
   * The stable patch level its source has at least; absent where the name does not say it
   * (`6.8.0-45-generic`).
   */
  readonly patch?: number
  /** As kernel.org has it: what came later is not in it. */
  readonly isPlain: boolean
  /** `7.1.0-rc3`: not all of what the release will have. */
  readonly isCandidate: boolean
  /**
   * NVIDIA's Ubuntu kernels form groups by rules of their own (a rework of `pci_device_group` that mainline
   * has not).
   */
  readonly hasOtherGroups: boolean
}

/** Asked for every function of a host. */
let last: { readonly release: string; readonly kernel: Kernel | undefined } | undefined

export function parseKernel(release: string | undefined): Kernel | undefined {
  if (release === undefined) return undefined
  if (last?.release !== release) last = { release, kernel: readRelease(release) }
  return last.kernel
}

export function parseKernelVersion(release: string | undefined): KernelVersion | undefined {
  return parseKernel(release)?.version
}

function readRelease(release: string): Kernel | undefined {
  const match = /^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,5}))?(?![\d.])(.{0,200})$/s.exec(release)
  if (!match) return undefined
  const [, major, minor, patch, rest = ''] = match
  const isPlain = rest === '' && patch !== undefined
  const kernel = {
    version: [Number(major), Number(minor)] as const,
    isPlain,
    isCandidate: /^-rc\d/.test(rest),
    hasOtherGroups: /-nvidia(?:[-+]|$)/.test(rest),
  }
  return patch === undefined || (!isPlain && isOwnNumber(patch, rest))
    ? kernel
    : { ...kernel, patch: Number(patch) }
}

/**
 * Names whose third number is not kernel.org's, or whose source is not a superset of it: Debian's and
 * Ubuntu's `X.Y.0-ABI`, Ubuntu's other flavours, Proxmox (built from Ubuntu's), enterprise kernels.
 */
function isOwnNumber(patch: string, rest: string): boolean {
  return (
    Number(patch) === 0 ||
    /-(?:generic|lowlatency|pve|nvidia|aws|azure|gcp|oracle|oem|ibm|raspi)|\.el\d|^-\d{6}/.test(rest)
  )
}

/** A row that came after the first kernel that was read. */
export type Since = {
  /** Every release of this series from this patch level on has it, and so has every later series. */
  readonly from: KernelLevel
  /** First patch level of older series that got it as a stable update. */
  readonly stable: readonly KernelLevel[]
  /** Levels that were read and lack it, and with them what came before in their series. */
  readonly lackedBy?: readonly KernelLevel[]
}

/** Read in 7.2.13, and in neither of the others. */
export const since72: Since = {
  from: [7, 2, 13],
  stable: [],
  lackedBy: [
    [6, 1, 192],
    [6, 12, 117],
  ],
}

export function isAtLeast(kernel: KernelVersion, other: KernelVersion): boolean {
  return kernel[0] !== other[0] ? kernel[0] > other[0] : kernel[1] >= other[1]
}

const isSameSeries = (a: KernelVersion, [major, minor]: KernelLevel) => a[0] === major && a[1] === minor

/** True, false, or `undefined` when the kernel is not known well enough. */
export function holdsFor(since: Since | undefined, kernel: Kernel | undefined): boolean | undefined {
  if (!since) return true
  if (!kernel) return undefined
  const { version, patch, isPlain, isCandidate } = kernel
  const { from, stable, lackedBy = [] } = since
  if (isAtLeast(version, [from[0], from[1]]) && !isSameSeries(version, from)) return true
  const first = [from, ...stable].find((level) => isSameSeries(version, level))
  if (first?.[2] === 0 && !isCandidate) return true
  if (patch === undefined) return undefined
  if (first !== undefined && patch >= first[2]) return true
  const isLacked =
    first !== undefined || lackedBy.some((level) => isSameSeries(version, level) && patch <= level[2])
  return isPlain && isLacked ? false : undefined
}

/** `6.1.165, 6.12.75 and 7.1` */
export function sinceWords({ from, stable }: Since): string {
  const words = [...stable, from].map(
    ([major, minor, patch]) => `${major}.${minor}${patch === 0 ? '' : `.${patch}`}`,
  )
  const end = words.pop() ?? ''
  return words.length === 0 ? end : `${words.join(', ')} and ${end}`
}
