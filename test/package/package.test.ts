/**
 * The packages that `npm run package` makes: two builds are the same bytes; the Debian package is installed,
 * used, removed and purged in a system that is thrown away.
 */
import { spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeOlder } from '../support/older-package.ts'
import { makeRoot, runInRoot, snapshotOf, whyNoRoot } from '../support/throw-away-root.ts'
import { lacks } from '../support/tools.ts'

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly version: string
  readonly man: readonly string[]
  readonly devDependencies: Readonly<Record<string, string>>
}
const debName = `handover_${manifest.version}_amd64.deb`

const isCi = process.env['CI'] === 'true'
const skip =
  lacks('dpkg-deb', 'strip', 'mmdebstrap', 'unshare', 'lintian') || (!isCi && whyNoRoot() !== undefined)

const spec = `version: 1
vms:
  media:
    memory: 64 MiB
    firmware: bios
    devices: { disks: { class: storage, slot: 0-3 } }
`

let work = ''
const inWork = (...names: readonly string[]) => join(work, ...names)
const root = () => inWork('root')
/** Debian 13, where the package is only put in and taken out. */
const newerRoot = () => inWork('newer-root')

function packageInto(folder: string): Promise<void> {
  const child = spawn(process.execPath, ['scripts/package.mjs', '--out', folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let err = ''
  child.stderr.on('data', (part: Buffer) => (err += part.toString()))
  return new Promise((done, fail) => {
    child.on('close', (code) => (code === 0 ? done() : fail(new Error(err))))
  })
}

function output(program: string, ...args: readonly string[]): string {
  const done = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (done.status !== 0) throw new Error(`${program}: ${done.error?.message ?? done.stderr}`)
  return done.stdout
}

function run(command: string, where = root()) {
  return runInRoot(where, command)
}

/** The output of a command that has to go well. */
function runWell(command: string, where = root()): string {
  const done = run(command, where)
  expect(done, command).toMatchObject({ status: 0 })
  return done.out
}

// What dpkg, man-db and the tools for users keep for themselves: a log, an index, the lists before their last
// change.
const keptByOthers =
  /^\/(?:proc|tmp\/.*|var\/log\/dpkg\.log|var\/cache\/man\/.*|var\/cache\/ldconfig\/.*|etc\/(?:passwd|group|shadow|gshadow)-|var\/lib\/dpkg\/.*)$/

describe.skipIf(skip)('the packages', () => {
  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'handover-package-test-'))
    await Promise.all([packageInto(inWork('first')), packageInto(inWork('second'))])
    const needed = ['libstdc++6', 'systemd-standalone-sysusers', 'systemd-standalone-tmpfiles']
    makeRoot(root(), [...needed, 'man-db', 'bash-completion'])
    makeRoot(newerRoot(), needed, 'trixie')
  }, 600_000)
  afterAll(() => rmSync(work, { recursive: true, force: true }))

  it('are the same bytes when they are built twice', () => {
    expect(readdirSync(inWork('first')).toSorted()).toEqual(
      [`handover-${manifest.version}.tgz`, debName].toSorted(),
    )
    for (const name of readdirSync(inWork('first')))
      expect(readFileSync(inWork('first', name)).equals(readFileSync(inWork('second', name))), name).toBe(
        true,
      )
  })

  it('are Debian packages without a complaint of lintian that is not answered one by one', () => {
    const done = spawnSync('lintian', ['--allow-root', '--fail-on=error,warning', inWork('first', debName)], {
      encoding: 'utf8',
    })
    expect(done).toMatchObject({ status: 0, stdout: '' })
    expect(readFileSync('packaging/debian/lintian-overrides', 'utf8')).not.toMatch(/[*?]/)
  })

  it('own no file that belongs to the host, and enable nothing', () => {
    const listed = output('dpkg-deb', '--contents', inWork('first', debName)).trim().split('\n')
    for (const line of listed) {
      expect(line).toMatch(/^[-d]rw[-x]r-[-x]r-[-x] root\/root /)
      expect(line).toMatch(/ \.\/(?:usr\/(?:$|bin|lib|share)|$)/)
    }
    expect(listed.filter((line) => /\/systemd\/|\/udev\/|bundle\.cache/.test(line))).toEqual([])
  })

  it('have a page for every command, in both forms', () => {
    const pages = manifest.man.map((path) => basename(path))
    const contents = output('dpkg-deb', '--contents', inWork('first', debName))
    const packed = [...contents.matchAll(/man1\/(\S+)\.gz$/gm)].map(([, name]) => name ?? '')
    expect(packed.toSorted()).toEqual(pages.toSorted())
    const npm = output('tar', '-tzf', inWork('first', `handover-${manifest.version}.tgz`))
      .trim()
      .split('\n')
    expect(npm).toEqual(expect.arrayContaining(manifest.man.map((path) => `package/${path}`)))
    expect(npm).toEqual(
      expect.arrayContaining(['package/dist/THIRD-PARTY-LICENSES', 'package/dist/sbom.cdx.json']),
    )
    expect(npm.filter((path) => path.endsWith('.cache'))).toEqual([])
  })

  it(
    'install, work, refuse to go while something stands, and leave the system as it was',
    { timeout: 600_000 },
    () => {
      const before = snapshotOf(root(), keptByOthers)
      copyFileSync(inWork('first', debName), join(root(), 'tmp', debName))
      copyFileSync('test/fixtures/hosts/lab-home.yaml', join(root(), 'tmp/host.yaml'))
      writeFileSync(join(root(), 'tmp/home.yaml'), spec)
      runWell(`dpkg -i /tmp/${debName}`)
      expect(runWell('dpkg --verify handover')).toBe('')

      lookAtIt()
      refuseRemoval()

      runWell('dpkg --remove handover')
      expect(existsSync(join(root(), 'usr/lib/handover'))).toBe(false)
      runWell('dpkg --purge handover')
      expect(snapshotOf(root(), keptByOthers)).toEqual(before)
      expect(
        runWell("dpkg-query --show --showformat '${Package} ${Status}\\n' | grep handover || true"),
      ).toBe('')
    },
  )

  it(
    'are put over an older version while an apply stands, and that one is taken back by the new one',
    { timeout: 120_000 },
    () => {
      const before = snapshotOf(root(), keptByOthers)
      const cache = join(root(), 'usr/lib/handover/dist/bundle.cache')
      makeOlder(inWork('first', debName), join(root(), 'tmp/older.deb'), inWork('older'))
      runWell('dpkg -i /tmp/older.deb')
      putJournal()
      // Code that V8 made of the old files must not meet the new ones.
      runWell(`/var/lib/dpkg/info/handover.prerm upgrade ${manifest.version}`)
      expect(existsSync(cache)).toBe(false)
      runWell(`dpkg -i /tmp/${debName}`)
      expect(existsSync(cache)).toBe(true)
      expect(runWell("dpkg-query --show --showformat '${Version}' handover")).toBe(manifest.version)
      const { journals } = JSON.parse(runWell('handover journal --json')) as { journals: object[] }
      expect(journals).toMatchObject([{ id: '0001', status: 'applied' }])
      runWell('handover rollback --yes && dpkg --purge handover')
      expect(snapshotOf(root(), keptByOthers)).toEqual(before)
    },
  )

  it('go into a Debian 13 and out of it again', { timeout: 120_000 }, () => {
    const before = snapshotOf(newerRoot(), keptByOthers)
    copyFileSync(inWork('first', debName), join(newerRoot(), 'tmp', debName))
    runWell(`dpkg -i /tmp/${debName}`, newerRoot())
    expect(runWell('handover --version', newerRoot())).toBe(`${manifest.version}\n`)
    runWell('dpkg --purge handover', newerRoot())
    expect(snapshotOf(newerRoot(), keptByOthers)).toEqual(before)
  })

  it('keep the journal of what was not taken back, also when they are purged', { timeout: 120_000 }, () => {
    copyFileSync(inWork('first', debName), join(root(), 'tmp', debName))
    runWell(`dpkg -i /tmp/${debName} && dpkg --remove handover`)
    putJournal()
    expect(run('dpkg --purge handover').err).toContain('was not taken back')
    expect(existsSync(join(root(), 'var/lib/handover/journal/0001/record.json'))).toBe(true)
    rmSync(join(root(), 'var/lib/handover'), { recursive: true })
  })
})

function lookAtIt(): void {
  expect(runWell('handover --version')).toBe(`${manifest.version}\n`)
  const shown = JSON.parse(runWell('handover inspect --from /tmp/host.yaml --json')) as { devices: unknown[] }
  expect(shown.devices.length).toBeGreaterThan(5)
  runWell('mkdir -p /tmp/tree/sys/bus/pci/devices')
  expect(JSON.parse(runWell('handover inspect --root /tmp/tree --json'))).toMatchObject({
    schema: 1,
    devices: [],
  })
  const plan = JSON.parse(runWell('handover plan /tmp/home.yaml --from /tmp/host.yaml --json')) as object
  expect(plan).toMatchObject({ assignments: [{ vm: 'media', role: 'disks', address: '0000:03:00.0' }] })

  expect(runWell('handover report -o /tmp/report.tar.gz && tar -tzf /tmp/report.tar.gz')).toContain(
    'capture.yaml',
  )

  for (const [page, words] of [
    ['handover', /NAME\n +handover +- +Gives +real/],
    ['handover-plan', /SYNOPSIS\n +handover plan \[options\] <spec>/],
    ['handover-lab-run', /EXIT STATUS\n +0 +done/],
  ] as const)
    expect(runWell(`man ${page} | col -b -x`)).toMatch(words)
  const load =
    '. /usr/share/bash-completion/bash_completion; . /usr/share/bash-completion/completions/handover'
  expect(runWell(`${load}; complete -p handover`)).toMatch(/-F \S+ handover/)
  expect(runWell("handover complete -- 'pl'")).toContain('plan')
  expect(runWell('getent passwd handover-qemu')).toMatch(/:\/usr\/sbin\/nologin\n$/)
  // The code that V8 made at the installation is taken: without it the file would be compiled.
  expect(existsSync(join(root(), 'usr/lib/handover/dist/bundle.cache'))).toBe(true)
}

/** One file written by an apply, and its journal. */
function putJournal(): void {
  const entry = join(root(), 'var/lib/handover/journal/0001')
  const path = '/etc/handover/bindings'
  const after = { text: 'written by an apply\n', mode: 0o644 }
  const at = '2026-01-02T03:04:05.000Z'
  const record = {
    ...{
      schema: 1,
      id: '0001',
      createdAt: at,
      version: '0.1.0',
      bootId: 'boot',
      planHash: '',
      needsReboot: false,
    },
    ...{ assignments: [], takenAlong: [], spare: [], startOrder: [], saved: [{ path, kind: 'absent' }] },
    steps: [{ kind: 'file', path, before: null, after, why: 'a test' }],
  }
  const events = [
    { at, event: 'step', index: 0, phase: 'started' },
    { at, event: 'step', index: 0, phase: 'done' },
    { at, event: 'end', outcome: 'applied' },
  ]
  mkdirSync(join(entry, 'saved'), { recursive: true })
  writeFileSync(join(entry, 'record.json'), JSON.stringify(record))
  writeFileSync(join(entry, 'events.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  mkdirSync(join(root(), 'etc/handover'), { recursive: true })
  writeFileSync(join(root(), path), after.text, { mode: after.mode })
}

/** Refused while an apply stands and while its journal cannot be read; not refused when it was taken back. */
function refuseRemoval(): void {
  putJournal()
  const refused = run('dpkg --remove handover')
  expect(refused.status).not.toBe(0)
  expect(refused.err).toContain('0001 is applied: handover rollback 0001')
  expect(runWell('handover --version')).toBe(`${manifest.version}\n`)

  const record = join(root(), 'var/lib/handover/journal/0001/record.json')
  const whole = readFileSync(record)
  writeFileSync(record, whole.subarray(0, 40))
  expect(run('dpkg --remove handover').err).toContain('0001 is damaged')
  writeFileSync(record, whole)

  runWell('handover rollback --yes')
  expect(existsSync(join(root(), 'etc/handover/bindings'))).toBe(false)
}
