/** What the packages are made of says the same everywhere; the generators of their documents, by values. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { disagreements } from '../../scripts/package/agree.mjs'
import { billOfMaterials, bundledPackages, thirdPartyNotices } from '../../scripts/package/bundled.mjs'
import { debianChangelog, releases } from '../../scripts/package/changelog.mjs'
import { debianCopyright, withoutCommonLicence } from '../../scripts/package/copyright.mjs'
import { manPage, pageName, shownCommands } from '../../scripts/package/roff.mjs'
import { exitCode } from '../../src/base/errors.ts'
import { addCompletionHelp, buildProgram } from '../../src/cli/main.ts'

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly man: readonly string[] }

describe('a release', () => {
  it('has one version, in package.json, the lock file and the changelog', () =>
    expect(disagreements('.')).toEqual([]))

  it('names a man page for every command that help shows', () => {
    const program = buildProgram()
    addCompletionHelp(program)
    const pages = shownCommands(program).map((command: Command) => `dist/man/${pageName(command)}.1`)
    expect(pages.toSorted()).toEqual([...manifest.man].toSorted())
    for (const command of shownCommands(program)) {
      const page: string = manPage(command, { version: '1.2.3', date: '2026-01-02', exitCodes: exitCode })
      for (const option of command.createHelp().visibleOptions(command))
        expect(page, pageName(command)).toContain(String(option.long).replaceAll('-', '\\-'))
    }
  })
})

describe('a man page', () => {
  it('can be pasted from, and is not led astray by signs of roff', () => {
    const command = new Command('tool')
      .description('.first sign, back\\slash, it\u2019s "quoted"')
      .option('--a-b <x>', "'x'")
    command.addHelpText('after', '\nExamples:\n  $ tool --a-b 1\n')
    const page: string = manPage(command, { version: '1', date: '2026-01-02', exitCodes: { done: 0 } })
    expect(page).toContain('.SH DESCRIPTION\n\\&.first sign, back\\eslash, it\\[u2019]s "quoted"\n')
    expect(page).toContain('.TP\n.B \\-\\-a\\-b <x>\n\\(aqx\\(aq\n')
    expect(page).toContain('.SH EXAMPLES\n.nf\n$ tool \\-\\-a\\-b 1\n.fi\n')
    expect(() => manPage(command, { version: '1', date: '2026-01-02', exitCodes: { other: 9 } })).toThrow(
      /no words for/,
    )
  })
})

describe('the changelog', () => {
  const text =
    '# Changelog\n\n## Unreleased\n\n- not yet\n\n## 1.2.0 - 2026-02-03\n\n### Added\n\n- one\n  more\n- two\n'

  it('is read by releases', () => {
    expect(releases(text)).toEqual([{ version: '1.2.0', date: '2026-02-03', entries: ['one more', 'two'] }])
    expect(() => releases('## 1.2.0\n')).toThrow(/VERSION - YYYY-MM-DD/)
  })

  it('becomes that of Debian', () => {
    expect(debianChangelog(text, 'A <a@b.example>')).toBe(
      'handover (1.2.0) unstable; urgency=medium\n\n  * one more\n  * two\n\n' +
        ' -- A <a@b.example>  Tue, 03 Feb 2026 12:00:00 +0000\n',
    )
    for (const line of debianChangelog(readFileSync('CHANGELOG.md', 'utf8'), 'A <a@b.example>').split('\n'))
      expect(line.length).toBeLessThanOrEqual(130)
  })
})

describe('what is bundled', () => {
  const inputs = {
    'node_modules/yaml/dist/a.js': { bytesInOutput: 5 },
    'node_modules/@bomb.sh/tab/dist/b.js': { bytesInOutput: 1 },
    'node_modules/vitest/dist/c.js': { bytesInOutput: 0 },
    'src/index.ts': { bytesInOutput: 9 },
  }
  const packages = bundledPackages([{ outputs: { out: { inputs } } }], '.')

  it('is found by the bytes that are in the output, with licence and hash', () => {
    expect(packages.map(({ name }: { name: string }) => name)).toEqual(['@bomb.sh/tab', 'yaml'])
    expect(thirdPartyNotices(packages)).toMatch(
      /^@bomb\.sh\/tab .*\(MIT\)\n\nMIT License\n\nCopyright \(c\) Bombshell/m,
    )
    expect(() =>
      bundledPackages(
        [{ outputs: { o: { inputs: { 'node_modules/no-such/x': { bytesInOutput: 1 } } } } }],
        '.',
      ),
    ).toThrow()
  })

  it('is listed as CycloneDX 1.6 asks, the same each time', () => {
    const bill = billOfMaterials({ name: 'handover', version: '1.2.3', license: 'MIT' }, packages)
    expect(bill).toBe(billOfMaterials({ name: 'handover', version: '1.2.3', license: 'MIT' }, packages))
    const parsed = JSON.parse(bill) as {
      readonly serialNumber: string
      readonly components: readonly object[]
    }
    expect(parsed).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 })
    // The pattern of the schema of CycloneDX 1.6.
    expect(parsed.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    )
    const hash: unknown = expect.stringMatching(/^[0-9a-f]{128}$/)
    expect(parsed.components[0]).toMatchObject({
      ...{ type: 'library', group: '@bomb.sh', name: 'tab', licenses: [{ license: { id: 'MIT' } }] },
      ...{
        purl: expect.stringMatching(/^pkg:npm\/%40bomb\.sh\/tab@/) as unknown,
        hashes: [{ alg: 'SHA-512', content: hash }],
      },
    })
    expect(new Set(parsed.components.map((each) => Object.keys(each).join()))).toEqual(
      new Set([
        'type,bom-ref,group,name,version,hashes,licenses,purl',
        'type,bom-ref,name,version,hashes,licenses,purl',
      ]),
    )
  })

  it('is in the copyright file with its holders and its words', () => {
    const licenceText = 'Copyright (c) 2020 A. Person\n\nTHE COPYRIGHT HOLDERS ARE NOT LIABLE'
    const file = debianCopyright({
      ...{ source: 'https://handover.example', own: 'Copyright (c) 2026 Us' },
      parts: [{ files: ['node_modules/x/*'], license: 'ISC', licenceText }],
    })
    expect(file).toContain(
      'Files: node_modules/x/*\nCopyright: 2020 A. Person\nLicense: ISC\n Copyright (c) 2020 A. Person\n .\n THE',
    )
    const apache =
      '- a\n    Apache License\n    Version 2.0, January 2004\n words\n   END OF TERMS AND CONDITIONS\n- b'
    expect(withoutCommonLicence(apache)).toMatch(
      /^- a\n +Apache License, Version 2\.0\. On Debian.*\n.*Apache-2\.0\.\n- b$/,
    )
  })
})
