// CHANGELOG.md (the form of Keep a Changelog) read, and written as Debian's changelog (deb-changelog(5)).
// Pure.

/** Its releases, newest first: `## 0.2.0 - 2026-12-01`, and below it a list for each kind of change. */
export function releases(text) {
  const found = []
  for (const part of text.split(/^## /m).slice(1)) {
    const [title, ...lines] = part.split('\n')
    if (title.trim() === 'Unreleased') continue
    const [, version, date] = /^\[?(\d+\.\d+\.\d+)\]? - (\d{4}-\d{2}-\d{2})$/.exec(title.trim()) ?? []
    if (version === undefined) throw new Error(`CHANGELOG.md: «${title}» is not «VERSION - YYYY-MM-DD»`)
    found.push({ version, date, entries: entriesOf(lines) })
  }
  if (found.length === 0) throw new Error('CHANGELOG.md names no release')
  return found
}

/** A list entry goes on over indented lines. */
function entriesOf(lines) {
  const entries = []
  for (const line of lines) {
    if (line.startsWith('- ')) entries.push(line.slice(2).trim())
    else if (/^ {2}\S/.test(line) && entries.length > 0) entries.push(`${entries.pop()} ${line.trim()}`)
  }
  return entries
}

export function debianChangelog(text, maintainer) {
  return releases(text)
    .map(({ version, date, entries }) => {
      const changes = entries.map((entry) => wrapped(entry, '  * ', '    '))
      return `handover (${version}) unstable; urgency=medium\n\n${changes.join('\n')}\n\n -- ${maintainer}  ${rfc2822(date)}\n`
    })
    .join('\n')
}

/** Markdown's signs for code and links stay: the text is read as it is. */
function wrapped(text, first, next) {
  const lines = []
  let line = first
  for (const word of text.split(/\s+/)) {
    if (line.length + word.length + 1 > 78 && line.trim() !== '*' && line.trim() !== '') {
      lines.push(line.trimEnd())
      line = next
    }
    line += `${word} `
  }
  return [...lines, line.trimEnd()].join('\n')
}

/** The day's noon in UTC, as deb-changelog(5) writes a time; independent of the language of this machine. */
function rfc2822(date) {
  return new Date(`${date}T12:00:00Z`).toUTCString().replace('GMT', '+0000')
}
