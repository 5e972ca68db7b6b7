/** The real logger(1) speaks to a socket in place of journald's, in a mount namespace of its own. */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lacks } from '../../support/tools.ts'

let folder = ''
beforeAll(() => void (folder = fs.mkdtempSync(join(tmpdir(), 'handover-journald-'))))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

/** Prints every datagram in hexadecimal, a line each; ends when none came for half a second. */
const listener = `
use Socket;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die;
bind($socket, pack_sockaddr_un('/run/systemd/journal/socket')) or die;
open(my $ready, '>', '/run/ready') or die; close($ready);
alarm 30;
$SIG{ALRM} = sub { exit 1 };
for (1 .. $ARGV[0]) { recv($socket, my $data, 65536, 0); print unpack('H*', $data), "\\n"; }`

const sender = (module: string) => `
import { systemJournal } from ${JSON.stringify(module)}
const log = systemJournal()
const fields = { HANDOVER_TRANSACTION: '0007', HANDOVER_DEVICE: '0000:01:00.0' }
log({ message: 'first\\nPRIORITY=0', severity: 'notice', fields })
log({ message: 'second', severity: 'error', fields: {} })`

const script = `
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal
perl -e "$LISTENER" 2 & reader=$!
until [ -e /run/ready ]; do sleep 0.05; done
"$NODE" --import tsx --input-type=module -e "$SENDER"
wait $reader`

const isRoot = process.getuid?.() === 0
const skip = lacks('logger', 'perl', 'unshare') || (!isRoot && process.env['CI'] !== 'true')

describe.skipIf(skip)('the system journal (needs root, logger, perl)', () => {
  it('gets the message, its severity and our fields, and no field that a value makes up', () => {
    const module = resolve('src/machine/system-journal.ts')
    const done = spawnSync('unshare', ['--mount', 'sh', '-eu', '-c', script], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, LISTENER: listener, SENDER: sender(module), NODE: process.execPath },
    })
    expect(done).toMatchObject({ status: 0, stderr: '' })
    const [first, second] = done.stdout
      .trim()
      .split('\n')
      .map((line) => fieldsOf(Buffer.from(line, 'hex')))
    expect(first).toMatchObject({
      ...{ MESSAGE: 'first PRIORITY=0', PRIORITY: '5', SYSLOG_IDENTIFIER: 'handover' },
      ...{ HANDOVER_TRANSACTION: '0007', HANDOVER_DEVICE: '0000:01:00.0' },
    })
    expect(second).toMatchObject({ MESSAGE: 'second', PRIORITY: '3' })
  })

  it('is passed over where there is none', () => {
    const module = resolve('src/machine/system-journal.ts')
    const code = `mount -t tmpfs tmpfs /run; PATH=/nowhere "$NODE" --import tsx --input-type=module -e "$SENDER"`
    const env = { ...process.env, SENDER: sender(module), NODE: process.execPath }
    const done = spawnSync('unshare', ['--mount', 'sh', '-eu', '-c', code], { encoding: 'utf8', env })
    expect(done).toMatchObject({ status: 0, stdout: '', stderr: '' })
  })
})

/**
 * systemd's native protocol: `NAME=value` lines; `NAME`, a length in 8 bytes and the value where that has
 * line breaks.
 */
function fieldsOf(bytes: Buffer): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\n', at)
    const line = bytes.subarray(at, end).toString()
    const equals = line.indexOf('=')
    if (equals >= 0) {
      fields[line.slice(0, equals)] = line.slice(equals + 1)
      at = end + 1
    } else {
      const length = Number(bytes.readBigUInt64LE(end + 1))
      fields[line] = bytes.subarray(end + 9, end + 9 + length).toString()
      at = end + 9 + length + 1
    }
  }
  return fields
}
