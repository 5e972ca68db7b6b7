/**
 * The story of the topologies that are only looked at: what `inspect` and `capture` say in a real, booted
 * host.
 */
import { z } from 'zod'
import type { LabHost } from './lab-host.ts'
import type { LabLog } from './result.ts'

/**
 * Runs `inspect` and `capture` as root and as a user who may read less. `inspect --from` a capture must print
 * the page of the machine it came from, but for the stand-ins of redaction.
 */
export async function inspectStory(host: LabHost, log: LabLog): Promise<string> {
  return await log.phase('inspect and capture', async () => {
    const seen = await host.run('handover inspect')
    log.session.push({ command: 'handover inspect', status: seen.status, lines: seen.lines })
    for (const line of seen.lines) log.report({ kind: 'output', line })
    const captured = await host.run('handover capture')
    log.check('handover capture works', captured.status === 0, `${captured.lines.length} lines`)
    for (const [who, as] of [
      ['root', (command: string) => `sh -c '${command}'`],
      ['a user without privileges', (command: string) => `su nobody -s /bin/sh -c '${command}'`],
    ] as const) {
      const live = await host.run(`${as('handover inspect --json')} 2>/dev/null`)
      const evidence = comparePrediction(live.lines)
      log.check(`groups predicted for ${who} are the kernel's wherever they are certain`, ...evidence)
      const read = await host.run(`${as('handover capture | handover inspect --from - --json')} 2>/dev/null`)
      log.check(
        `a capture by ${who} gives the same inspect as the live machine`,
        ...sameInspect(live.lines, read.lines),
      )
    }
    return `${captured.lines.join('\n')}\n`
  })
}

/** What is compared of `inspect --json`; the rest is kept as it comes. */
const inspectSchema = z.looseObject({
  source: z.optional(z.unknown()),
  devices: z.optional(z.array(z.unknown())),
  groups: z.optional(z.array(z.looseObject({ devices: z.array(z.string()) }))),
  predictedGroups: z.optional(z.array(z.array(z.string()))),
  predictedConfidence: z.optional(z.array(z.string())),
})

/** The document behind what was said on standard error; empty where there is none. */
function documentIn(lines: readonly string[]) {
  const start = lines.indexOf('{')
  return inspectSchema.parse(start < 0 ? {} : JSON.parse(lines.slice(start).join('\n')))
}

/** Compares two `inspect --json` documents, but for the source they name and what redaction replaces. */
function sameInspect(
  live: readonly string[],
  captured: readonly string[],
): [same: boolean, evidence: string] {
  const [a, b] = [live, captured].map((lines) => {
    const { source: _, ...document } = documentIn(lines)
    const text = JSON.stringify(document, null, 1)
      .replaceAll(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'MAC')
      .replaceAll(/"(serial|deviceSerialNumber|nvmeSerial)": "[^"]*"/g, '"$1": "…"')
      // A serial is also how a person names the device.
      .replaceAll(/list [^" ]+ under host: not-in-use/g, 'list … under host: not-in-use')
    return { lines: text.split('\n'), devices: document.devices?.length ?? 0 }
  })
  if (!a || !b || a.devices === 0) return [false, 'no document to compare']
  const first = a.lines.findIndex((line, index) => line !== b.lines[index])
  if (first < 0 && a.lines.length === b.lines.length)
    return [true, `${a.devices} devices, ${a.lines.length} lines of JSON compared`]
  return [false, `live «${a.lines[first]?.trim()}», capture «${b.lines[first]?.trim()}»`]
}

/**
 * Predicted groups beside the kernel's of the same `inspect --json`: a group claimed for certain must be
 * exactly one of them.
 */
function comparePrediction(lines: readonly string[]): [right: boolean, evidence: string] {
  const document = documentIn(lines)
  const key = (devices: readonly string[]) => devices.toSorted().join(' ')
  const actual = new Set((document.groups ?? []).map((group) => key(group.devices)))
  const predicted = document.predictedGroups ?? []
  const certain = predicted.filter((_, i) => document.predictedConfidence?.[i] === 'high')
  const wrong = certain.filter((group) => !actual.has(key(group)))
  const same = predicted.filter((group) => actual.has(key(group))).length
  const counts =
    `${actual.size} groups, ${predicted.length} predicted, ${same} of them the same, ` +
    `${certain.length} certain`
  return [wrong.length === 0 && actual.size > 0, wrong[0] ? `${counts}; wrong: ${key(wrong[0])}` : counts]
}
