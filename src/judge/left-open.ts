/**
 * What leaves verdicts open because the input does not say it: for pages that show no reason at each device.
 */
import type { Finding } from '../base/finding.ts'
import type { Draft } from '../pci/draft.ts'
import type { Judgement, Reason } from './types.ts'

/** One for each remedy: the first device's, and how many more are alike. */
export function leftOpen({ devices }: Judgement): Finding[] {
  const byRemedy = new Map<string | undefined, Map<string, Reason>>()
  for (const { reasons } of devices) {
    for (const reason of reasons) {
      if (reason.code !== 'input-incomplete' || reason.undecided !== true) continue
      const alike = byRemedy.get(reason.help) ?? new Map<string, Reason>()
      byRemedy.set(reason.help, alike.set(reason.message, reason))
    }
  }
  return [...byRemedy.values()].flatMap((alike) => {
    const [first, ...more] = alike.values()
    return first === undefined ? [] : [noteOf(first, more.length)]
  })
}

function noteOf({ code, severity, message, help }: Reason, more: number): Finding {
  const note: Draft<Finding> = {
    code,
    severity,
    message: more === 0 ? message : `${message} (and ${more} more like it)`,
  }
  if (help !== undefined) note.help = help
  return note
}
