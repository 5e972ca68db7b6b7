/**
 * Huge pages for the VMs that take their memory from them. 2 MiB pages are set aside at once and by a file of
 * our own at every boot; 1 GiB pages can be had reliably only by kernel arguments, while memory is whole.
 * More than is wanted is never given back: somebody else may use it.
 */
import { defined } from '../../base/defined.ts'
import { listAll } from '../../base/text.ts'
import { formatSize } from '../../base/size.ts'
import { findArg, parseCmdline, readArg } from '../../boot/cmdline.ts'
import { hugepagesFile, hugepagesPath, nrHugepages } from '../../boot/host-setup.ts'
import type { Finding } from '../../base/finding.ts'
import type { Host } from '../../host/host.ts'
import { placeOf, type SpecPlaces } from '../../spec/places.ts'
import { hugepageCount } from '../../spec/hugepages.ts'
import type { Spec } from '../../spec/spec.ts'
import { runsSystemd } from '../../boot/boot-paths.ts'
import type { BootChange } from '../../boot/edits.ts'
import { ownFileSteps, removeFileSteps } from '../../boot/own-file-steps.ts'
import type { Step } from '../../steps/step.ts'

export type HugepagePlan = {
  /** What the running kernel does at once. */
  readonly steps: readonly Step[]
  /** For every later boot. */
  readonly files: readonly Step[]
  readonly arguments: BootChange
  readonly findings: readonly Finding[]
}

const none: BootChange = { add: [], remove: [] }

export function planHugepages(host: Host, spec: Spec, places?: SpecPlaces): HugepagePlan {
  const size = spec.host.hugepageKiB
  const wanting = spec.vms.filter((vm) => vm.hugepages)
  if (size === undefined || wanting.length === 0)
    return { steps: [], files: forget(host), arguments: none, findings: [] }
  const at = placeOf(places, ['host', 'hugepages'], 'key')
  const stop = (message: string, help: string): HugepagePlan => {
    const finding: Finding = {
      code: 'hugepages-missing',
      severity: 'error',
      message,
      help,
      ...defined({ at }),
    }
    return { steps: [], files: [], arguments: none, findings: [finding] }
  }
  const uneven = wanting.find((vm) => (vm.memoryMiB * 1024) % size !== 0)
  if (uneven)
    return stop(
      `${uneven.name} has ${formatSize(uneven.memoryMiB)}, and that is no whole number of ` +
        `pages of ${formatSize(size / 1024)}`,
      `give it a multiple of ${formatSize(size / 1024)}, or use smaller pages`,
    )
  const pools = host.memory.hugepages
  // A pasted listing says nothing of memory: nothing is planned, and nothing claimed.
  if (pools === undefined) return { steps: [], files: [], arguments: none, findings: [] }
  const pool = pools.find(({ sizeKiB }) => sizeKiB === size)
  if (pool === undefined)
    return stop(
      `this machine has no huge pages of ${formatSize(size / 1024)}`,
      `it has ${listAll(pools.map(({ sizeKiB }) => formatSize(sizeKiB / 1024)))}`,
    )
  const count = hugepageCount(spec, size)
  if (size === 1048576) return atBoot(host, { count, total: pool.total }, stop)
  return atOnce(host, { size, count, total: pool.total }, stop)
}

type Stop = (message: string, help: string) => HugepagePlan

function atOnce(host: Host, pages: { size: number; count: number; total: number }, stop: Stop): HugepagePlan {
  const { size, count, total } = pages
  const moreMiB = ((count - total) * size) / 1024
  const available = host.memory.availableMiB
  if (available !== undefined && moreMiB > available)
    return stop(
      `${formatSize(moreMiB)} more of huge pages are wanted, and ${formatSize(available)} ` +
        'of memory are available now',
      'stop what uses memory, or apply soon after a boot',
    )
  const path = nrHugepages(size)
  const why = `huge pages for ${formatSize((count * size) / 1024)} of guest memory`
  const step: Step = { kind: 'sysfs', path, before: String(total), after: String(count), partial: true, why }
  const files = runsSystemd(host)
    ? ownFileSteps([hugepagesFile(size, count)], host.files ?? [], 'the same huge pages at every boot')
    : []
  return { steps: count > total ? [step] : [], files, arguments: none, findings: [] }
}

/**
 * `hugepages=` means the size that `hugepagesz=` named before it
 * (Documentation/admin-guide/kernel-parameters.txt).
 */
function atBoot(host: Host, { count, total }: { count: number; total: number }, stop: Stop): HugepagePlan {
  const files = forget(host)
  if (total >= count) return { steps: [], files, arguments: none, findings: [] }
  const running = parseCmdline(host.kernel.cmdline ?? '')
  const theirs = running.args
    .map(({ raw }) => raw)
    .filter((raw) => /^(?:default_)?hugepages/.test(readArg(raw).key))
  const wanted = ['hugepagesz=1G', `hugepages=${count}`]
  if (theirs.join(' ') === wanted.join(' '))
    return stop(
      `the kernel set aside ${total} of ${count} huge pages of 1 GiB at boot: there is not ` +
        'more memory in one piece',
      'give the guests less memory, or use huge pages of 2 MiB',
    )
  const isAlone =
    theirs.length === 2 && theirs[0] === 'hugepagesz=1G' && /^hugepages=\d+$/.test(theirs[1] ?? '')
  if (theirs.length > 0 && !isAlone)
    return stop(
      `the kernel command line sets huge pages aside in a way of its own (${theirs.join(' ')})`,
      `${count} of 1 GiB are needed: change it there (${wanted.join(' ')}), or take it out and plan again`,
    )
  const old = isAlone ? findArg(running, 'hugepages') : undefined
  const change =
    old === undefined ? { add: wanted, remove: [] } : { add: [`hugepages=${count}`], remove: [old] }
  return { steps: [], files, arguments: change, findings: [] }
}

/** The file of an earlier plan, when nothing is set aside by it any more. */
function forget(host: Host): Step[] {
  return removeFileSteps([{ path: hugepagesPath }], host.files ?? [], 'no huge pages are wanted any more')
}
