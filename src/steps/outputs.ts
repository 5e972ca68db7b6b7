/**
 * Decides what an undo does with the outputs of a generator. An output that is still as our run left it gets
 * its saved bytes again. When another program wrote it since (a kernel update), the saved bytes are stale, so
 * the generator runs once more after everything that it reads is restored. The last part of an output may be
 * a pattern, `/boot/initrd.img-*`, which also matches images of kernels that are installed later.
 */
import type { Reader } from '../machine/system.ts'
import { isSameEnvironment } from '../boot/loaders/grub-environment.ts'
import type { Past } from './kind.ts'
import { hashOutputs, isAsSaved, readCopy } from './saved.ts'
import type { SavedFile } from './saved-file.ts'

type Outputs = {
  readonly outputs: readonly string[]
  readonly once?: true
  readonly environment?: true
}

/** Replaces patterns by the paths that match now, and keeps plain paths whether they exist or not. */
export function expandOutputs(reader: Reader, outputs: readonly string[]): string[] {
  const paths = new Set<string>()
  for (const output of outputs) {
    const cut = output.lastIndexOf('/')
    const [folder, name] = [output.slice(0, cut) || '/', output.slice(cut + 1)]
    if (!name.includes('*')) {
      paths.add(output)
      continue
    }
    const names = reader.list(folder)
    for (const one of names.ok ? names.value : [])
      if (matches(name, one)) paths.add(`${output.slice(0, cut)}/${one}`)
  }
  return [...paths]
}

/** Adds the files behind links: a generator that redirects into a link writes the file behind it. */
export function withTargets(reader: Reader, paths: readonly string[]): string[] {
  const all = new Set(paths)
  for (const path of paths) {
    const real = reader.readLink(path).ok ? reader.realPath(path) : undefined
    const stat = real?.ok ? reader.stat(real.value) : undefined
    if (real?.ok && stat?.ok && stat.value.kind === 'file') all.add(real.value)
  }
  return [...all]
}

function isCovered(outputs: readonly string[], path: string): boolean {
  const split = (text: string) =>
    [text.slice(0, text.lastIndexOf('/')), text.slice(text.lastIndexOf('/') + 1)] as const
  const [folder, name] = split(path)
  return outputs.map(split).some(([above, pattern]) => above === folder && matches(pattern, name))
}

function matches(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return name === pattern
  if (!name.startsWith(head)) return false
  let at = head.length
  for (const [index, part] of rest.entries()) {
    const isLast = index === rest.length - 1
    const found = isLast ? name.length - part.length : name.indexOf(part, at)
    if (found < at || !name.startsWith(part, found)) return false
    at = found + part.length
  }
  return true
}

/**
 * Whether the path is an image of an installed kernel, whose name is at the star of the pattern: a release on
 * Debian and with dracut, a package on Arch.
 */
function isOfKernel(reader: Reader, outputs: readonly string[], path: string): boolean {
  return outputs.some((output) => {
    const [head = '', tail = ''] = output.split('*')
    if (!isCovered([output], path) || head === output) return false
    const kernel = path.slice(head.length, path.length - tail.length).replace(/-fallback$/, '')
    if (kernel === '') return false
    return reader.list(`/lib/modules/${kernel}`).ok || reader.stat(`/boot/vmlinuz-${kernel}`).ok
  })
}

export type OutputsJudgement = {
  /** Files that get their saved bytes again. */
  readonly restore: readonly SavedFile[]
  /** Files that another program has written since: the generator has to run once more. */
  readonly stale: readonly string[]
}

export async function judgeOutputs(reader: Reader, past: Past, step: Outputs): Promise<OutputsJudgement> {
  const { left } = past
  const present = expandOutputs(reader, step.outputs)
  const behind = new Set(withTargets(reader, present))
  const saved = past.saved.filter(
    (file) => file.kind !== 'no-folder' && (isCovered(step.outputs, file.path) || behind.has(file.path)),
  )
  const known = new Set(saved.map(({ path }) => path))
  // A new link may point at a file of another program: only paths that the step names count as made by it.
  const made = [...Object.keys(left ?? {}).filter((path) => isCovered(step.outputs, path)), ...present]
  const created = [...new Set(made)].filter((path) => !known.has(path))
  const restore: SavedFile[] = []
  const stale: string[] = []
  for (const file of [...saved, ...created.map((path): SavedFile => ({ path, kind: 'absent' }))]) {
    if (await isAsSaved(reader, file)) continue
    if (
      left === undefined &&
      past.later &&
      file.kind === 'absent' &&
      isOfKernel(reader, step.outputs, file.path)
    )
      stale.push(file.path)
    else if (left === undefined || (await hashOutputs(reader, [file.path]))[file.path] === left[file.path])
      restore.push(file)
    else stale.push(file.path)
  }
  if (step.once) {
    // A state that another program has set since stays. A choice that GRUB deleted by booting it is restored.
    const forgotten = saved.filter(
      (file) => stale.includes(file.path) && isUsedUp(reader, past, { file, step }),
    )
    return { restore: [...restore, ...forgotten], stale: [] }
  }
  // An interrupted run leaves broken images: they are restored first, so that the host boots even if the
  // generator fails again.
  return stale.length > 0 && left !== undefined ? { restore: [], stale } : { restore, stale }
}

function isUsedUp(
  reader: Reader,
  past: Past,
  { file, step }: { readonly file: SavedFile; readonly step: Outputs },
): boolean {
  if (file.kind !== 'file' || step.environment !== true) return false
  const now = reader.readText(file.path, 65_536)
  const before = readCopy(reader, past, file)
  return now.ok && before.ok && isSameEnvironment(now.value, Buffer.from(before.value).toString())
}
