// Prints what of Handover still stands on this host, one line each; for the prerm of the Debian package. Ends with an
// error when that cannot be known.
'use strict'
const { spawnSync } = require('node:child_process')

const takenBack = new Set(['restored', 'rolled-back'])

/** Exit code 1 comes with a document, too: it lists a damaged entry. */
function ask(command) {
  const { status, stdout } = spawnSync('/usr/bin/handover', [command, '--json'], { encoding: 'utf8' })
  if (status !== 0 && status !== 1) process.exit(1)
  return JSON.parse(stdout)
}

const { journals } = ask('journal')
const { vms } = ask('status')
for (const { id, status } of journals)
  if (!takenBack.has(status)) console.log(`  ${id} is ${status}: handover rollback ${id}`)
for (const { name } of vms) console.log(`  the VM ${name} runs: handover down ${name}`)
