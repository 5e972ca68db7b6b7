/** A change of the kernel command line: steps that edit files, or instructions for the user. */
import type { Finding } from '../base/finding.ts'
import type { Host, HostFile } from '../host/host.ts'
import type { Step } from '../steps/step.ts'

export type BootChange = { readonly add: readonly string[]; readonly remove: readonly string[] }

export type Edits =
  { readonly ok: true; readonly steps: readonly Step[] } | { readonly ok: false; readonly finding: Finding }

/** The files in this folder that a plan may edit. */
export function filesIn(host: Host, folder: string): readonly HostFile[] {
  return (host.files ?? []).filter(({ path }) => path.startsWith(`${folder}/`))
}

/** The change for a step's reason: `without iommu=off`, `intel_iommu=on`. */
export function changeWords({ add, remove }: BootChange): string[] {
  return [...remove.map((raw) => `without ${raw}`), ...add]
}

/** The change as an instruction: `remove iommu=off, add intel_iommu=on`. */
function requestWords({ add, remove }: BootChange): string {
  return [...remove.map((raw) => `remove ${raw}`), ...add.map((raw) => `add ${raw}`)].join(', ')
}

/**
 * Writes nothing: the user has to make the change. `how` is the instruction, in which `ARGS` is the change.
 */
export function manual(
  system: string,
  how: string,
  change: BootChange,
  as: { readonly code?: Finding['code']; readonly words?: (change: BootChange) => string } = {},
): Edits {
  const { code = 'boot-manual', words = requestWords } = as
  const problem = 'the kernel command line has to change'
  return {
    ok: false,
    finding: {
      code,
      severity: 'error',
      message: `${problem}, and this machine boots with ${system}: nothing is written there`,
      help: how.replace('ARGS', words(change)),
    },
  }
}

export function editStep(file: HostFile, text: string, change: BootChange): Step[] {
  if (text === file.text) return []
  const mode = file.mode ?? 0o644
  return [
    {
      kind: 'file',
      path: file.path,
      before: { text: file.text, mode },
      after: { text, mode },
      why: `kernel arguments: ${changeWords(change).join(', ')}`,
    },
  ]
}

/** A byte that is not UTF-8 was read as U+FFFD, and an edit would replace it by U+FFFD. */
export function refuseMangled(edits: Edits, change: BootChange): Edits {
  if (!edits.ok) return edits
  const mangled = edits.steps.find((step) => step.kind === 'file' && step.before?.text.includes('\ufffd'))
  if (mangled?.kind !== 'file') return edits
  const where = `${mangled.path}, which has bytes that are not UTF-8`
  return manual(where, 'there: ARGS; or save it as UTF-8', change)
}
