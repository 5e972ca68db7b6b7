/** report: what is in the archive, and that nothing in it says whose machine it is. */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reportSchema } from '../../../src/api/report.ts'
import { report } from '../../../src/app/report.ts'
import { beginJournal } from '../../../src/apply/journal.ts'
import { runReport, type ReportOptions } from '../../../src/cli/commands/report.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { readTar } from '../../../src/sources/listings/tar.ts'
import { put } from '../../support/fake-kernel.ts'
import { documentOf } from '../../support/documents.ts'
import { hostInForce, record, type InForce } from '../../support/in-force.ts'

/** Of the host that is read, of devices that left it, of files as they were, of what a guest printed. */
const originals = {
  hostName: 'castle-rock',
  mac: '52:54:00:00:00:01',
  shortSerial: 'DISK-1',
  password: 'hunter2-hunter2',
  uuid: '4b1e0f3a-9c7d-4a55-8a0e-1f2e3d4c5b6a',
  guestAddress: '203.0.113.77',
}

let host: InForce
let folder = ''
beforeEach(() => {
  const grub = (words: string) => ({
    text: `GRUB_CMDLINE_LINUX="root=UUID=${originals.uuid} ${words}"\n`,
    mode: 0o644,
  })
  const step = {
    ...{ kind: 'file' as const, path: '/etc/default/grub', why: '' },
    ...{
      before: grub(`x.password=${originals.password}`),
      after: grub(`x.password=${originals.password} quiet`),
    },
  }
  host = hostInForce(null)
  put(host.root, '/etc/hostname', `${originals.hostName}\n`)
  put(host.root, '/etc/machine-id', '0123456789abcdef0123456789abcdef\n')
  host.system.makeFolder('/var/lib/handover/journal/0001')
  const journal = beginJournal(host.system, {
    ...record,
    steps: [step],
    spec: `/home/${originals.hostName}/home.yaml`,
  })
  journal.append({ event: 'step', index: 0, phase: 'done', note: `serial ${originals.shortSerial}` })
  journal.append({ event: 'end', outcome: 'applied' })
  put(
    host.root,
    '/run/handover/vm/media/serial.log',
    `\u001b[2Jinet ${originals.guestAddress}\n${originals.mac}\n`,
  )
  put(host.root, '/run/handover/vm/media/qemu.log', 'qemu: it went wrong\n')
  put(host.root, '/run/handover/vm/media/qmp.sock.txt', 'no log\n')
  folder = fs.mkdtempSync(join(host.root, 'out-'))
})
afterEach(() => host.end())

const textOf = (archive: Uint8Array) => gunzipSync(archive).toString('utf8')

describe('a report', () => {
  it('has capture, journal, logs and versions, and tar reads it', async () => {
    const { archive, files, missing } = await report(host.system, { by: 'handover 1.2.3', consoles: true })
    fs.writeFileSync(join(folder, 'r.tar.gz'), archive)
    const listed = spawnSync('tar', ['-tzf', join(folder, 'r.tar.gz')], { encoding: 'utf8' })
    expect(listed).toMatchObject({ status: 0, stderr: '' })
    const names = [
      'versions.txt',
      'capture.yaml',
      'journal/0001.json',
      'vm/media/qemu.log',
      'vm/media/serial.log',
    ]
    expect(listed.stdout.trim().split('\n')).toEqual(names.map((name) => `handover-report/${name}`))
    expect(files.map(({ path }) => path)).toEqual(listed.stdout.trim().split('\n'))
    expect(missing).toEqual([])
    const text = textOf(archive)
    expect(text).toContain('handover 1.2.3\n')
    expect(text).toContain('qemu: it went wrong')
    expect(text).toContain('"path": "/etc/default/grub"')
  })

  it('holds nothing that says whose machine it is, wherever it stood', async () => {
    const { archive, replaced } = await report(host.system, { by: 'handover', consoles: true })
    const text = textOf(archive)
    for (const [what, original] of Object.entries(originals))
      expect(text.includes(original), what).toBe(false)
    expect(replaced).toBeGreaterThanOrEqual(Object.keys(originals).length)
    expect(text).not.toContain('\u001b')
    // What a bug is found by stays.
    for (const kept of ['0000:01:00.0', '8086', 'GRUB_CMDLINE_LINUX', 'quiet', 'applied'])
      expect(text).toContain(kept)
  })

  it('leaves consoles out when asked to', async () => {
    const { files } = await report(host.system, { by: 'handover', consoles: false })
    expect(files.map(({ path }) => path)).not.toContain('handover-report/vm/media/serial.log')
    expect(files.map(({ path }) => path)).toContain('handover-report/vm/media/qemu.log')
  })

  it('says what could not be read', async () => {
    put(host.root, '/var/lib/handover/journal/0002/record.json', '{"schema":1,')
    const denied = {
      ...linuxSystem({ root: host.root }),
      readText: (path: string, limit?: number) =>
        path.endsWith('/qemu.log')
          ? { ok: false as const, reason: 'unreadable' as const, code: 'EACCES' }
          : host.system.readText(path, limit),
    }
    const { files, missing } = await report(denied, { by: 'handover', consoles: true })
    expect(files.map(({ path }) => path)).toContain('handover-report/journal/0002.txt')
    expect(missing).toEqual(['/run/handover/vm/media/qemu.log (EACCES)'])
  })

  it('is listed by the command, which sends nothing', async () => {
    const output = join(folder, 'mine.tar.gz')
    const options: ReportOptions = { output }
    const said = await host.run(runReport, [], options)
    expect(said).toMatchObject({ code: 0, err: '' })
    expect(said.out).toMatch(/mine\.tar\.gz: 5 files; \d+ serials/)
    expect(said.out).toContain('handover-report/journal/0001.json')
    expect(said.out).toContain('Nothing was sent.')
    const printed = await host.run(runReport, [], { ...options, json: true })
    expect(documentOf(reportSchema, printed.out).contents).toHaveLength(5)
    expect(readTar(gunzipSync(fs.readFileSync(output))).members).toBeGreaterThanOrEqual(0)
  })
})
