/**
 * modprobe.d: finds `options vfio-pci ids=…` that somebody left there. Binding by ids takes every device of a model, so
 * it is shown, and never written by us.
 */

export type ForeignIds = { readonly path: string; readonly line: number; readonly ids: string }

/** Lines may be continued with a backslash; `#` starts a comment only at the beginning (modprobe.d(5)). */
export function findVfioIds(path: string, text: string): ForeignIds[] {
  const found: ForeignIds[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    const line = at + 1
    let whole = lines[at] ?? ''
    while (whole.endsWith('\\') && at + 1 < lines.length) {
      at += 1
      whole = `${whole.slice(0, -1)} ${lines[at] ?? ''}`
    }
    const words = whole.trim().split(/\s+/)
    if (words[0] !== 'options' || words[1]?.replaceAll('-', '_') !== 'vfio_pci') continue
    const ids = words.slice(2).find((word) => word.startsWith('ids='))
    if (ids !== undefined) found.push({ path, line, ids: ids.slice(4).replaceAll('"', '') })
  }
  return found
}
