// What has to say the same before a release: version, changelog, lock file, licences.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { releases } from './changelog.mjs'

/** What disagrees, one line each. */
export function disagreements(root) {
  const read = (name) => readFileSync(join(root, name), 'utf8')
  const manifest = JSON.parse(read('package.json'))
  const lock = JSON.parse(read('package-lock.json'))
  const runtime = JSON.parse(read('packaging/node-runtime.json'))
  const changelog = read('CHANGELOG.md')
  const [newest] = releases(changelog)
  const unreleased = /^## Unreleased\n([^]*?)(?=^## )/m.exec(changelog)?.[1] ?? ''
  const oldest = /^>=(\d+)\.(\d+)\.\d+$/.exec(manifest.engines.node)?.slice(1).map(Number)
  const [major] = runtime.version.split('.').map(Number)
  const said = [
    [
      newest.version !== manifest.version,
      `CHANGELOG.md begins with ${newest.version}, package.json has ${manifest.version}`,
    ],
    [newest.entries.length === 0, `CHANGELOG.md says nothing of ${newest.version}`],
    [/^- /m.test(unreleased), 'CHANGELOG.md has changes that are in no release'],
    [
      lock.version !== manifest.version,
      `package-lock.json has ${lock.version}, package.json ${manifest.version}`,
    ],
    [manifest.private === true, 'package.json is private'],
    [oldest === undefined, `engines of package.json is not a lower bound: ${manifest.engines.node}`],
    [
      oldest !== undefined && major < oldest[0],
      `the package brings Node ${runtime.version}, older than engines`,
    ],
    [major % 2 === 1, `the package brings Node ${runtime.version}, which is no LTS line`],
    [
      manifest.license !== 'MIT' || !read('LICENSE').startsWith('MIT'),
      'LICENSE is not what package.json says',
    ],
  ]
  return said.flatMap(([isWrong, words]) => (isWrong ? [words] : []))
}
