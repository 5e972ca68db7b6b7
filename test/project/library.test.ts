/**
 * The package as somebody else gets it: installed without network into a TypeScript project, type-checked and
 * run.
 */
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const tsc = join(root, 'node_modules/.bin/tsc')

const spec = `version: 1
vms:
  box:
    memory: 64 MiB
    devices: { wan: { class: nic } }
`

/** Stricter than most projects are: the declarations themselves are checked, too. */
const config = {
  compilerOptions: {
    ...{ target: 'ES2023', lib: ['ES2023'], module: 'nodenext', types: ['node'], outDir: 'out' },
    ...{
      strict: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
    },
  },
  include: ['*.ts'],
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** As `npm pack` makes it of a checkout that is built. */
function pack(folder: string): string {
  const tree = join(folder, 'tree')
  if (!fs.existsSync(join(root, 'dist'))) throw new Error('build it first: npm run build')
  fs.cpSync(join(root, 'dist'), join(tree, 'dist'), { recursive: true })
  fs.copyFileSync(join(root, 'package.json'), join(tree, 'package.json'))
  run(process.execPath, [join(root, 'scripts/build-types.mjs'), '--to', join(tree, 'dist/types')], root)
  return join(tree, run('npm', ['pack', '--ignore-scripts', '--silent'], tree).trim())
}

/** The program that a page shows. */
function exampleOf(page: string): string {
  const code = /```ts\n([^]*?)```/.exec(fs.readFileSync(page, 'utf8'))?.[1]
  if (code === undefined) throw new Error(`${page} shows no program`)
  return code
}

function foreignProject(folder: string, tarball: string): string {
  const project = join(folder, 'project')
  fs.cpSync(join(root, 'test/fixtures/foreign-project'), project, { recursive: true })
  fs.writeFileSync(join(project, 'package.json'), '{ "name": "foreign", "type": "module" }')
  fs.writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
  fs.writeFileSync(join(project, 'box.yaml'), spec)
  fs.writeFileSync(join(project, 'home.yaml'), spec.replace('memory', 'cpus: 64\n    memory'))
  fs.writeFileSync(join(project, 'example.ts'), exampleOf(join(root, 'docs/library.md')))
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--silent', tarball], project)
  expect(fs.readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
    'handover',
  ])
  // The types of Node are the one thing that such a project brings along.
  fs.mkdirSync(join(project, 'node_modules/@types'))
  for (const name of ['@types/node', 'undici-types'])
    fs.symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name))
  return project
}

it('is a library for a foreign TypeScript project', { timeout: 120_000 }, () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'handover-library-'))
  onTestFinished(() => fs.rmSync(folder, { recursive: true }))
  const project = foreignProject(folder, pack(folder))
  run(tsc, ['-p', '.'], project)
  const capture = join(root, 'test/fixtures/hosts/lab-home.yaml')
  fs.copyFileSync(capture, join(project, 'my-host.yaml'))
  expect(run(process.execPath, ['out/example.js'], project)).toContain('too-many-cpus ')
  const printed: unknown = JSON.parse(run(process.execPath, ['out/main.js', 'box.yaml', capture], project))
  expect(printed).toMatchObject({
    ...{ vms: ['box'], errors: [], address: '0000:01:00.0', missing: true },
    ...{ refused: 'no plan is in force on this host' },
    steps: ['0000:01:00.0 vfio-pci', '0000:01:00.1 vfio-pci'],
  })
})
