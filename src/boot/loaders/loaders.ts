/**
 * Finds the boot loader that starts this machine. Evidence that a loader ran outranks evidence that it is
 * installed. If two loaders may have run, there is no choice, but a finding.
 */
import { defined } from '../../base/defined.ts'
import type { Host } from '../../host/host.ts'
import { hasPath, type BootPath } from '../boot-paths.ts'
import type { BootChange } from '../edits.ts'
import { grubBls } from './grub-bls.ts'
import { grub } from './grub.ts'
import type { BootEvidence, HostSigns, Loader, LoaderKind } from './loader.ts'
import { kernelstub, nixos, ostree, sdbootutil, unraid } from './manual.ts'
import { proxmox } from './proxmox.ts'
import { systemdBoot } from './systemd-boot.ts'
import { unified } from './unified.ts'
import { ambiguousLoader, unknownLoader } from './unknown.ts'

/**
 * The first one that is certain is used. Systems on which nothing is written come first; a tool that
 * overwrites the files of a loader comes before that loader.
 */
const loaderKinds: readonly LoaderKind[] = [
  nixos,
  ostree,
  unraid,
  proxmox,
  grubBls,
  grub,
  unified,
  sdbootutil,
  kernelstub,
  systemdBoot,
]

type Found = { readonly kind?: LoaderKind; readonly loader: Loader }

export function findLoader(evidence: BootEvidence): Found {
  const ran = whatRan(evidence)
  const signs = { ...evidence, has: (path: BootPath) => hasPath(evidence.present, path), ran }
  const found = loaderKinds.flatMap((kind) => {
    const detected = kind.detect(signs)
    return detected === undefined ? [] : [{ kind, ...detected }]
  })
  const certain = found.find(({ isCertain }) => isCertain)
  if (certain !== undefined) return certain
  // The files of the loader that ran were not found, and changing those of another loader would have no
  // effect.
  const [first, ...others] = ran === undefined ? found : []
  if (first === undefined) return { loader: unknownLoader }
  return others.length === 0 ? first : { loader: ambiguousLoader(found.map(({ kind }) => kind.name)) }
}

/**
 * The stub runs after every loader. The LoaderInfo of a loader counts more than a trace on the command line.
 */
function whatRan({ stubInfo, loaderInfo, cmdline }: BootEvidence): string | undefined {
  if (stubInfo !== undefined) return unified.name
  const said = loaderKinds.find((kind) => kind.loaderInfo?.test(loaderInfo ?? ''))
  return (said ?? loaderKinds.find(({ trace }) => trace?.test(cmdline)))?.name
}

export function evidenceOf(host: Host): BootEvidence {
  const { present = [], loaderInfo, stubInfo, entryImages } = host.boot ?? {}
  const entry = entryImages?.[0]?.entry
  return {
    present,
    cmdline: host.kernel.cmdline ?? '',
    ...defined({ loaderInfo, stubInfo, entries: entry?.slice(0, entry.lastIndexOf('/')) }),
  }
}

/**
 * An instruction for this host:
 * `add intel_iommu=on to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, run update-grub, and restart`.
 */
export function changeRemedy(host: Host, change: BootChange): string {
  const what =
    change.add.length > 0 ? `add ${change.add.join(' ')} to` : `remove ${change.remove.join(' ')} from`
  return `${what} ${placeOf(host, change)}, and restart`
}

/** A pasted listing has no evidence of a loader, but may contain its files. */
function placeOf(host: Host, change: BootChange): string {
  const signs = hostSigns(host)
  const found = host.boot && findLoader(evidenceOf(host)).kind
  const kinds = found === undefined ? loaderKinds : [found, ...loaderKinds]
  for (const kind of kinds) {
    const place = kind.place?.(signs, change)
    if (place !== undefined) return place
  }
  return 'the kernel command line'
}

function hostSigns({ files = [], distribution, boot }: Host): HostSigns {
  const names = [distribution?.id, ...(distribution?.idLike ?? [])]
  return {
    hasFile: (path) => files.some((file) => file.path === path),
    isDistribution: (...wanted) => wanted.some((name) => names.includes(name)),
    isNameless: distribution === undefined && boot === undefined,
  }
}
