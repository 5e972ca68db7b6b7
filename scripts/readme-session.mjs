// Puts the session of a real lab run into README.md, between its two marks: node scripts/readme-session.mjs
// RESULT.json
import { readFileSync, writeFileSync } from 'node:fs'

const result = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
if (!result.ok) throw new Error('this run has failed checks: not a session to show')
const shown = result.session.filter((part) => /inspect|plan|up|verify|rollback/.test(part.command))
const text = shown
  .map(({ command, lines }) => `labhost# ${command}\n${lines.join('\n').trimEnd()}`)
  .join('\n\n')
const readme = readFileSync('README.md', 'utf8')
const marks = /<!-- session -->[\s\S]*<!-- \/session -->/
writeFileSync(
  'README.md',
  readme.replace(marks, () => `<!-- session -->\n\n\`\`\`\n${text}\n\`\`\`\n\n<!-- /session -->`),
)
