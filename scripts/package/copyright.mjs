// The copyright file of the Debian package: the machine-readable form, version 1.0
// (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/). Pure.

/** `parts`: what is bundled, each with the paths of its source, its licence's short name and text. */
export function debianCopyright({ source, own, parts }) {
  const stanzas = [{ files: ['*'], license: 'MIT', licenceText: own }, ...parts].map(stanza)
  const head = [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/',
    'Upstream-Name: Handover',
    `Source: ${source}`,
    'Comment: The libraries are bundled into usr/lib/handover/dist/*.cjs; the runtime is usr/lib/handover/node.',
  ]
  return `${[head.join('\n'), ...stanzas].join('\n\n')}\n`
}

/** Debian policy 12.5: the words of the Apache licence are on every Debian system, and are referred to. */
export function withoutCommonLicence(text) {
  const words = /^ +Apache License\n +Version 2\.0,[\s\S]*?END OF TERMS AND CONDITIONS$/gm
  return text.replaceAll(
    words,
    '   Apache License, Version 2.0. On Debian systems its text is in\n   /usr/share/common-licenses/Apache-2.0.',
  )
}

function stanza({ files, license, licenceText, holders = holdersIn(licenceText) }) {
  return [
    ...[`Files: ${files.join('\n       ')}`, `Copyright: ${holders.join('\n           ')}`],
    `License: ${license}`,
    ...licenceText.split('\n').map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`)),
  ].join('\n')
}

/** The lines that name a year or a holder; some licences have them in the middle of a line. */
function holdersIn(text) {
  const found = text.split('\n').flatMap((line) => /\bCopyright .*$/.exec(line)?.[0] ?? [])
  const holders = found.map((line) => line.replace(/^Copyright\s*(?:\(c\)|©)?\s*/i, '').trim())
  const named = holders.filter((line) => /^\d{4}|^[A-Z].*[<(]|authors|contributors/i.test(line))
  if (named.length === 0) throw new Error(`a licence names no holder: ${text.slice(0, 80)}`)
  return [...new Set(named)]
}
