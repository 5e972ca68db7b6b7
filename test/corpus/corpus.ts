/** The shared corpus of real machines: found beside the repository, never copied into it. */
import * as fs from 'node:fs'
import { join, resolve } from 'node:path'
import { readHostFrom, type HostReading } from '../../src/sources/listings/read-from.ts'
import { gunzip } from '../../src/machine/gunzip.ts'
import { linuxSystem } from '../../src/machine/linux.ts'

export const corpusFolder = resolve(import.meta.dirname, '../../../shared/corpus')
export const hasCorpus = fs.existsSync(corpusFolder)

export type CorpusItem = { readonly id: string; readonly input: string; readonly expected: Expected }

export type Expected = {
  readonly format: string
  readonly groups: Readonly<Record<string, readonly string[]>>
  readonly devices: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly [key: string]: unknown
}

const json = (path: string) => JSON.parse(fs.readFileSync(path, 'utf8')) as Expected

export function corpusItems(): CorpusItem[] {
  const listings = fs.readdirSync(join(corpusFolder, 'listings'))
  const items = listings
    .filter((file) => file.endsWith('.expected.json'))
    .map((file) => {
      const id = file.slice(0, -'.expected.json'.length)
      const input =
        ['txt', 'json', 'xml'].map((end) => `${id}.${end}`).find((name) => listings.includes(name)) ?? id
      const folder = join(corpusFolder, 'listings')
      return { id, input: join(folder, input), expected: json(join(folder, file)) }
    })
  for (const id of fs.readdirSync(join(corpusFolder, 'snapshots'))) {
    const folder = join(corpusFolder, 'snapshots', id)
    for (const file of fs.readdirSync(folder)) {
      if (!/\.(?:txt|xml|umockdev|tar\.gz)$/.test(file)) continue
      const isDerived = file === 'sysfs-derived.tar.gz'
      items.push({
        id: `${id}/${file}`,
        input: join(folder, file),
        expected: json(join(folder, isDerived ? 'expected-sysfs.json' : 'expected.json')),
      })
    }
  }
  return items
}

export const importSystem = { openFolder: (path: string) => linuxSystem({ root: path }), gunzip }

export function readItem(item: CorpusItem): HostReading {
  return readHostFrom({ name: item.id, bytes: fs.readFileSync(item.input) }, importSystem)
}
