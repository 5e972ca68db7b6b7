/**
 * Somebody saves a file while an apply or a rollback is under way: the edit stays, and what was done is taken
 * back.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { rollback } from '../../src/apply/rollback.ts'
import type { Step } from '../../src/steps/step.ts'
import { realDisk, type Disk } from '../../src/machine/disk.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { fakeKernel, fakeSysfs, put, tempTree } from '../support/fake-kernel.ts'
import { nic, planOf, sata, toVfio } from '../support/transactions.ts'

let root = ''
const entry = '/boot/loader/entries/a.conf'
const words = '/etc/kernel/cmdline'
const at = (path: string) => join(root, path)
const read = (path: string) => fs.readFileSync(at(path), 'utf8')
const text = (path: string, from: string | null, to: string | null): Step => ({
  kind: 'file',
  path,
  before: from === null ? null : { text: from, mode: 0o644 },
  after: to === null ? null : { text: to, mode: 0o644 },
  why: '',
})
const steps = [text(entry, 'options ro\n', 'options ro iommu=pt\n'), text(words, 'ro\n', 'ro iommu=pt\n')]

/** A slow disk: while it syncs what will become `path`, somebody else works. */
function whileSyncing(path: string, work: () => void): Disk {
  const opened = new Map<number, string>()
  let isDone = false
  return {
    ...realDisk,
    open: (file, how) => {
      const fd = realDisk.open(file, how)
      opened.set(fd, file)
      return fd
    },
    sync: (fd) => {
      realDisk.sync(fd)
      const name = path.slice(path.lastIndexOf('/') + 1)
      if (isDone || !opened.get(fd)?.includes(`/.${name}.handover-`)) return
      isDone = true
      work()
    },
  }
}

beforeEach(() => {
  root = tempTree()
  put(root, entry, 'options ro\n')
  put(root, words, 'ro\n')
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

describe('an apply', () => {
  it.each([
    ['another text', () => put(root, words, 'ro mitigations=off\n')],
    ['the same text with other bytes', () => fs.writeFileSync(at(words), '\ufeffro\n')],
    ['another mode', () => fs.chmodSync(at(words), 0o600)],
    ['nothing any more', () => fs.rmSync(at(words), { force: true })],
    ['a link', () => (fs.rmSync(at(words)), fs.symlinkSync('/dev/null', at(words)))],
  ])('stops at a file that is %s by now, and takes back its own', async (_, work) => {
    const disk = whileSyncing(words, work)
    const result = await apply(planOf(steps), linuxSystem({ root, disk }))
    expect(result).toMatchObject({ outcome: 'restored', cause: expect.stringContaining(words) })
    expect(read(entry)).toBe('options ro\n')
    const theirs = fs.lstatSync(at(words), { throwIfNoEntry: false })
    work()
    const after = fs.lstatSync(at(words), { throwIfNoEntry: false })
    expect([theirs?.mode, theirs?.size]).toEqual([after?.mode, after?.size])
    expect(fs.readdirSync(at('/etc/kernel')).filter((name) => name.startsWith('.'))).toEqual([])
    expect(await rollback(linuxSystem({ root }), undefined)).toMatchObject({ outcome: 'nothing-to-do' })
  })

  it.each([
    ['a byte order mark', Buffer.from('\ufeffro\n')],
    ['bytes of another encoding', Buffer.from([0x72, 0x6f, 0xe4, 0x0a])],
  ])('changes nothing where a file has %s: an edit would lose it', async (_, bytes) => {
    fs.writeFileSync(at(words), bytes)
    const seen = linuxSystem({ root }).readText(words)
    const before = seen.ok ? seen.value : ''
    await expect(
      apply(planOf([text(words, before, 'ro iommu=pt\n')]), linuxSystem({ root })),
    ).rejects.toThrow('is not plain UTF-8 text')
    expect(fs.readFileSync(at(words))).toEqual(bytes)
  })

  it('does not make a file that somebody made meanwhile', async () => {
    const made = '/etc/handover/bindings'
    const disk = whileSyncing(made, () => put(root, made, 'theirs'))
    expect(
      await apply(planOf([...steps, text(made, null, 'ours')]), linuxSystem({ root, disk })),
    ).toMatchObject({
      outcome: 'restored',
    })
    expect([read(made), read(entry), read(words)]).toEqual(['theirs', 'options ro\n', 'ro\n'])
  })

  it('does not remove a file that somebody saved meanwhile', async () => {
    const disk = whileSyncing(entry, () => put(root, words, 'theirs'))
    const removal = [steps[0] as Step, text(words, 'ro\n', null)]
    expect(await apply(planOf(removal), linuxSystem({ root, disk }))).toMatchObject({ outcome: 'restored' })
    expect([read(words), read(entry)]).toEqual(['theirs', 'options ro\n'])
  })

  it('keeps an edit of a file that it had written, and says so', async () => {
    const disk = whileSyncing(words, () => {
      put(root, entry, 'options theirs\n')
      put(root, words, 'theirs\n')
    })
    const result = await apply(planOf(steps), linuxSystem({ root, disk }))
    expect(result).toMatchObject({ outcome: 'not-restored' })
    expect(result.outcome === 'not-restored' && result.leftovers.join()).toContain(entry)
    expect([read(entry), read(words)]).toEqual(['options theirs\n', 'theirs\n'])
  })

  it('takes no device whose driver somebody changed meanwhile', async () => {
    const drivers = { e1000e: ['8086:10d3'], ahci: ['8086:2922'], 'vfio-pci': [], other: [] }
    fakeSysfs(root, [nic, sata], drivers)
    const kernel = fakeKernel(root, drivers)
    const link = at(`/sys/devices/${sata.place}/driver`)
    const meddling = {
      ...kernel,
      writeAttributeWithin: (path: string, value: string, seconds: number) => {
        if (path.includes(nic.address) && fs.existsSync(link)) {
          fs.unlinkSync(link)
          fs.symlinkSync('../../../../bus/pci/drivers/other', link)
        }
        return kernel.writeAttributeWithin(path, value, seconds)
      },
    }
    const result = await apply(planOf([toVfio(nic), toVfio(sata)]), meddling)
    expect(result).toMatchObject({ outcome: 'restored', cause: expect.stringContaining('has driver other') })
    expect(fs.readlinkSync(link)).toContain('drivers/other')
    expect(fs.readlinkSync(at(`/sys/devices/${nic.place}/driver`))).toContain('e1000e')
  })
})

describe('a rollback', () => {
  beforeEach(async () => {
    expect(await apply(planOf(steps), linuxSystem({ root }))).toMatchObject({ outcome: 'applied' })
  })

  it('puts nothing over a file that somebody saved while it was under way, and says so', async () => {
    const disk = whileSyncing(entry, () => put(root, entry, 'theirs\n'))
    const result = await rollback(linuxSystem({ root, disk }), undefined)
    expect(result).toMatchObject({ outcome: 'rollback-incomplete' })
    expect(result.leftovers.join()).toContain(entry)
    expect([read(entry), read(words)]).toEqual(['theirs\n', 'ro\n'])
  })

  it('puts no saved output over one that was written again while it was under way', async () => {
    await rollback(linuxSystem({ root }), undefined)
    put(root, '/boot/grub.cfg', 'old\n')
    const generate: Step = {
      kind: 'command',
      argv: ['sh', '-c', `echo new > ${at('/boot/grub.cfg')}`],
      outputs: ['/boot/grub.cfg'],
      why: '',
    }
    await apply(planOf([...steps, generate]), linuxSystem({ root }))
    const disk = whileSyncing('/boot/grub.cfg', () => put(root, '/boot/grub.cfg', 'theirs\n'))
    expect(await rollback(linuxSystem({ root, disk }), undefined)).toMatchObject({
      outcome: 'rollback-incomplete',
    })
    expect([read('/boot/grub.cfg'), read(words)]).toEqual(['theirs\n', 'ro\n'])
  })
})

it('an apply that was cut off is taken back, though a file of a step that never began was edited since', async () => {
  const real = linuxSystem({ root })
  const cut = {
    ...real,
    writeFile: (...given: Parameters<typeof real.writeFile>) => {
      if (given[0] === words) throw new Error('cut')
      real.writeFile(...given)
    },
    // The power is gone: nothing more is written.
    appendFile: (...given: Parameters<typeof real.appendFile>) => {
      if (!given[1].includes('"index":1') && !given[1].includes('undo') && !given[1].includes('"end"'))
        real.appendFile(...given)
    },
  }
  await apply(planOf(steps), cut)
  put(root, entry, 'options ro iommu=pt\n')
  put(root, words, 'theirs\n')
  expect(await rollback(linuxSystem({ root }), undefined)).toMatchObject({ outcome: 'rolled-back' })
  expect([read(entry), read(words)]).toEqual(['options ro\n', 'theirs\n'])
})
