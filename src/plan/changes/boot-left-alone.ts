/**
 * With `--no-boot` nothing is written that counts at the next boot. What the spec asks for and goes without
 * is said: a wish that is dropped in silence would be believed to be met.
 */
import { listAll } from '../../base/text.ts'
import type { Finding } from '../../base/finding.ts'
import type { Host } from '../../host/host.ts'
import { changeWords } from '../../boot/edits.ts'
import { bootChange, type BootPlan, type BootWish } from './plan-boot.ts'
import type { Step } from '../../steps/step.ts'

/** `files`: what other parts of the plan would write for every later boot. */
export function leaveBootAlone(host: Host, wish: BootWish, files: readonly Step[]): BootPlan {
  return { steps: [], findings: [...sayArguments(host, wish), ...sayFiles(files)], needsReboot: false }
}

/**
 * What the IOMMU needs is left to `iommu-off`, which stops the plan. A listing without a command line leaves
 * it open.
 */
function sayArguments(host: Host, wish: BootWish): Finding[] {
  if (host.kernel.cmdline === undefined) return []
  const change = bootChange(host, { ...wish, iommu: false })
  if (change === undefined) return []
  return [
    {
      code: 'boot-left-alone',
      severity: 'warning',
      message:
        'the spec needs kernel arguments that are not there ' +
        `(${changeWords(change).join(' ')}), and with --no-boot they are left out`,
      help: 'without --no-boot they get a trial boot; until then what needs them is missing',
    },
  ]
}

function sayFiles(files: readonly Step[]): Finding[] {
  const paths = files.flatMap((step) => (step.kind === 'file' && step.after !== null ? [step.path] : []))
  if (paths.length === 0) return []
  return [
    {
      code: 'boot-left-alone',
      severity: 'note',
      message:
        'with --no-boot these are not written, so what they set up ends with the next ' +
        `reboot: ${listAll(paths)}`,
      help: 'without --no-boot it is there at every boot; else run the same command again after a reboot',
    },
  ]
}
