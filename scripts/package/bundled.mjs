// Which libraries are inside the bundles, by esbuild's metafiles: licence notices and the bill of materials.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Every npm package with at least one byte in an output, with its licence and its hash in the lock file. */
export function bundledPackages(metafiles, root) {
  const folders = new Set()
  for (const { outputs } of metafiles) {
    for (const { inputs } of Object.values(outputs)) {
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const folder = /^(?:[\w-]+:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]
        if (folder !== undefined && bytesInOutput > 0) folders.add(folder)
      }
    }
  }
  const lock = readJson(join(root, 'package-lock.json'))
  return [...folders]
    .map((folder) => describe(root, folder, lock.packages[folder]))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function describe(root, folder, locked) {
  const manifest = readJson(join(root, folder, 'package.json'))
  const { name, version, license } = manifest
  if (license === undefined) throw new Error(`${folder} states no licence`)
  if (locked?.integrity === undefined) throw new Error(`package-lock.json has no hash of ${folder}`)
  const file = readdirSync(join(root, folder)).find((entry) =>
    /^(?:licen[cs]e|copying)(?:\.\w+)?$/i.test(entry),
  )
  const text =
    file === undefined ? standardText(root, manifest) : readFileSync(join(root, folder, file), 'utf8')
  return {
    name,
    version,
    license,
    licenceText: text.replaceAll('\r\n', '\n').trim(),
    integrity: locked.integrity,
  }
}

/**
 * For a package that names the MIT licence and has no copy of it: the words of our own LICENSE, its author.
 */
function standardText(root, { name, license, author }) {
  const holder = typeof author === 'string' ? author : author?.name
  if (license !== 'MIT' || holder === undefined)
    throw new Error(`${name} has no text of its licence (${license})`)
  const ours = readFileSync(join(root, 'LICENSE'), 'utf8')
  return ours.replace(/^Copyright .*$/m, `Copyright (c) ${holder}`)
}

/** The notices that the licences of the bundled libraries ask for, in one text. */
export function thirdPartyNotices(packages) {
  const parts = packages.map(
    ({ name, version, license, licenceText }) => `${name} ${version} (${license})\n\n${licenceText}\n`,
  )
  return `The files of this folder contain parts of these libraries.\n\n${parts.join(`\n${'-'.repeat(72)}\n\n`)}`
}

/**
 * The bill of materials as CycloneDX 1.6 JSON (https://cyclonedx.org/docs/1.6/json/). It has no time and no
 * random number, so that the same input gives the same bytes.
 */
export function billOfMaterials({ name, version, license }, packages) {
  const ref = `pkg:npm/${name}@${version}`
  const components = packages.map(component)
  const body = {
    metadata: {
      component: {
        type: 'application',
        'bom-ref': ref,
        name,
        version,
        licenses: licences(license),
        purl: ref,
      },
    },
    components,
    dependencies: [
      { ref, dependsOn: components.map((each) => each['bom-ref']) },
      ...components.map((each) => ({ ref: each['bom-ref'] })),
    ],
  }
  const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex')
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${asUuid(digest)}`,
    version: 1,
    ...body,
  }
  return `${JSON.stringify(bill, null, 2)}\n`
}

function component({ name, version, license, integrity }) {
  const [group, plain] = name.startsWith('@') ? name.split('/') : [undefined, name]
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const [algorithm, hash] = integrity.split('-')
  if (algorithm !== 'sha512') throw new Error(`${name} is locked by ${algorithm}, not by sha512`)
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group === undefined ? {} : { group }),
    name: plain,
    version,
    hashes: [{ alg: 'SHA-512', content: Buffer.from(hash, 'base64').toString('hex') }],
    licenses: licences(license),
    purl,
  }
}

/** One identifier of SPDX, or an expression of several. */
function licences(license) {
  return /[ (]/.test(license) ? [{ expression: license }] : [{ license: { id: license } }]
}

/** A UUID of version 8 (RFC 9562, 5.8): its bits are ours to choose. */
function asUuid(hex) {
  const variant = '89ab'[Number.parseInt(hex[16], 16) % 4]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}
