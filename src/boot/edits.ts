/** A change of the kernel command line: as steps where a file is edited, in words where a person makes it. */
import type { Finding } from '../base/finding.ts'
import type { Host, HostFile } from '../host/host.ts'
import type { Step } from '../steps/step.ts'

export type BootChange = { readonly add: readonly string[]; readonly remove: readonly string[] }

export type Edits =
  { readonly ok: true; readonly steps: readonly Step[] } | { readonly ok: false; readonly finding: Finding }

/** Those of the files a plan may edit that lie in this folder. */
export function filesIn(host: Host, folder: string): readonly HostFile[] {
  return (host.files ?? []).filter(({ path }) => path.startsWith(`${folder}/`))
}

/** A change in words, for a person: `without iommu=off`, `intel_iommu=on`. */
export function changeWords({ add, remove }: BootChange): string[] {
  return [...remove.map((raw) => `without ${raw}`), ...add]
}

/** A change as it is asked of a person: `remove iommu=off, add intel_iommu=on`. */
function requestWords({ add, remove }: BootChange): string {
  return [...remove.map((raw) => `remove ${raw}`), ...add.map((raw) => `add ${raw}`)].join(', ')
}

/** Nothing is written: a person changes `system`, as `how` says. `ARGS` in `how` stands for the change. */
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

/** A byte that is no UTF-8 was read as U+FFFD. Writing the text back would put U+FFFD in its place. */
export function refuseMangled(edits: Edits, change: BootChange): Edits {
  if (!edits.ok) return edits
  const mangled = edits.steps.find((step) => step.kind === 'file' && step.before?.text.includes('\ufffd'))
  if (mangled?.kind !== 'file') return edits
  const where = `${mangled.path}, which holds bytes that are no UTF-8`
  return manual(where, 'there: ARGS; or save it as UTF-8', change)
}
