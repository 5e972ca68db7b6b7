// Writes the man pages of all commands into a folder (its only argument), from the definitions behind
// `--help`. Run with: tsx --import ./scripts/raw-text.mjs scripts/package/man-pages.mjs FOLDER
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCode } from '../../src/base/errors.ts'
import { addCompletionHelp, buildProgram } from '../../src/cli/main.ts'
import { releases } from './changelog.mjs'
import { manPage, pageName, shownCommands } from './roff.mjs'

const root = join(import.meta.dirname, '../..')
const read = (name) => readFileSync(join(root, name), 'utf8')
const { version } = JSON.parse(read('package.json'))
const date = releases(read('CHANGELOG.md'))[0].date
const folder = process.argv[2]

const program = buildProgram()
addCompletionHelp(program)
mkdirSync(folder, { recursive: true })
for (const command of shownCommands(program)) {
  const page = manPage(command, { version, date, exitCodes: exitCode })
  writeFileSync(join(folder, `${pageName(command)}.1`), page)
}
