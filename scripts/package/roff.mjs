// One command of commander as a page of man(7) (pure). Every word comes from what `--help` prints.

/** What a caller of the page wants to know beside the command: name → words, in the order of the numbers. */
const meanings = {
  done: 'done, and nothing is wrong',
  errorFindings: 'there are findings of severity error, or something was refused',
  usage: 'the command line or a file named on it cannot be understood',
  applyFailedRestored: 'an apply did not succeed; the host is as it was before',
  applyFailedNotRestored: 'an apply did not succeed, and the host is not fully as it was before',
  changes: 'there would be changes (plan --check)',
  bug: 'a fault of the program itself',
  interrupted: 'ended by Ctrl-C',
}

/** `handover lab run` → `handover-lab-run`: the name of its page. */
export function pageName(command) {
  const names = []
  for (let each = command; each; each = each.parent) names.unshift(each.name())
  return names.join('-')
}

/** The command and all below it that `--help` shows. */
export function shownCommands(command) {
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help')
  return [command, ...below.flatMap(shownCommands)]
}

export function manPage(command, { version, date, exitCodes }) {
  const help = command.createHelp()
  const name = pageName(command)
  const summary = command.summary() || command.description()
  const lines = [
    `.TH ${quoted(name.toUpperCase())} 1 ${quoted(date)} ${quoted(`handover ${version}`)} ${quoted('Handover')}`,
    // No word is divided: a divided command cannot be pasted.
    '.nh',
    '.SH NAME',
    `${escaped(name)} \\- ${escaped(summary.replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    `.B ${escaped(name.replaceAll('-', ' '))}`,
    escaped(help.commandUsage(command).replace(commandWords(command), '').trim()),
    '.SH DESCRIPTION',
    escaped(command.description() || `${summary}.`),
    ...listed('ARGUMENTS', help.visibleArguments(command), (each) => [
      help.argumentTerm(each),
      help.argumentDescription(each),
    ]),
    ...listed('OPTIONS', help.visibleOptions(command), (each) => [
      help.optionTerm(each),
      help.optionDescription(each),
    ]),
    ...listed('COMMANDS', shownCommands(command).slice(1), (each) => [
      `${pageName(each)}(1)`,
      each.summary() || each.description(),
    ]),
    ...listed('EXIT STATUS', Object.entries(exitCodes), ([key, code]) => [String(code), meaningOf(key)]),
    ...exampleLines(command),
    ...seeAlso(command),
  ]
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}

/** commander writes the names of all commands above in front of the usage. */
function commandWords(command) {
  return pageName(command).replaceAll('-', ' ')
}

function listed(title, entries, termAndText) {
  if (entries.length === 0) return []
  const lines = entries.flatMap((entry) => {
    const [term, text] = termAndText(entry)
    return ['.TP', `.B ${escaped(term)}`, escaped(text)]
  })
  return [`.SH ${title}`, ...lines]
}

function meaningOf(key) {
  const meaning = meanings[key]
  if (meaning === undefined) throw new Error(`the man pages have no words for the exit code ${key}`)
  return meaning
}

/** The text that a command puts behind its help: a title, then one example a line. */
function exampleLines(command) {
  let text = ''
  command.emit('afterHelp', { error: false, command, write: (part) => (text += part) })
  const examples = text.split('\n').flatMap((line) => /^ {2}\$ (.*)$/.exec(line)?.[1] ?? [])
  if (examples.length === 0) return []
  return ['.SH EXAMPLES', '.nf', ...examples.map((line) => `$ ${escaped(line)}`), '.fi']
}

function seeAlso(command) {
  const above = command.parent
  return above ? ['.SH SEE ALSO', escaped(`${pageName(above)}(1)`)] : []
}

/** groff_char(7): a bare hyphen may become a typographic one, and cannot be pasted then. */
function escaped(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll(
      /[^\0-\x7f]/g,
      (letter) => `\\[u${letter.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replace(/^(?=[.])/gm, '\\&')
}

function quoted(text) {
  return `"${escaped(text).replaceAll('"', '\\(dq')}"`
}
