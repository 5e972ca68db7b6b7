/** `--from`: files, folders, standard input; what is too large is not read. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createGzip } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { readSource } from '../../../src/app/read-source.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'

const folder = fs.mkdtempSync(join(tmpdir(), 'handover-from-'))
afterAll(() => fs.rmSync(folder, { recursive: true }))
const path = (name: string) => join(folder, name)
const listing = 'IOMMU Group 3 00:17.0 SATA controller [0106]: Acme [1aaa:a352]\n'
const read = (from: string) => readSource(linuxSystem(), from)

test('a file', async () => {
  fs.writeFileSync(path('groups.txt'), listing)
  expect(await read(path('groups.txt'))).toMatchObject({
    source: { kind: 'script', name: path('groups.txt') },
    groups: [{ id: 3, devices: ['0000:00:17.0'] }],
  })
})

test('a folder that is none of a host, a file that is not there, one of 1 GiB: refused at once', async () => {
  await expect(read(folder)).rejects.toMatchObject({
    exitCode: 2,
    message: `${folder} is a folder without sys/bus/pci/devices in it`,
  })
  await expect(read(path('nothing'))).rejects.toMatchObject({
    exitCode: 2,
    message: `${path('nothing')} is not there`,
  })
  fs.writeFileSync(path('huge.txt'), listing)
  fs.truncateSync(path('huge.txt'), 2 ** 30)
  const before = process.memoryUsage().rss
  await expect(read(path('huge.txt'))).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('is too large') as string,
  })
  expect(process.memoryUsage().rss - before).toBeLessThan(50 * 2 ** 20)
})

test('standard input, and one that never ends', { timeout: 60_000 }, () => {
  const run = (input: string) =>
    spawnSync('sh', ['-c', `${input} | ./handover inspect --json --from -`], {
      cwd: resolve(import.meta.dirname, '../../..'),
      encoding: 'utf8',
      maxBuffer: 16 * 2 ** 20,
    })
  const short = run(`printf '%s' '${listing.trim()}'`)
  expect(JSON.parse(short.stdout)).toMatchObject({
    source: { kind: 'script' },
    groups: [{ id: 3, devices: ['0000:00:17.0'] }],
  })
  const endless = run('yes 00:17.0')
  expect(endless.status).toBe(2)
  expect(endless.stderr).toContain('standard input is too large')
})

test('a small archive that unpacks to more than anybody has', async () => {
  const zeros = createGzip({ level: 1 })
  const parts: Buffer[] = []
  zeros.on('data', (part: Buffer) => parts.push(part))
  for (let mib = 0; mib < 300; mib++) zeros.write(Buffer.alloc(2 ** 20))
  zeros.end()
  await once(zeros, 'end')
  fs.writeFileSync(path('bomb.tar.gz'), Buffer.concat(parts))
  expect(fs.statSync(path('bomb.tar.gz')).size).toBeLessThan(4 * 2 ** 20)
  await expect(read(path('bomb.tar.gz'))).rejects.toMatchObject({
    exitCode: 2,
    message: `${path('bomb.tar.gz')} unpacks to more than 256 MiB`,
  })
})
