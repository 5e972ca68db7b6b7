/** Implements WorkFolder (system.ts). */
import { createHash } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { searchPath } from './search-path.ts'
import { defined } from '../base/defined.ts'
import type { WorkFolder } from './system.ts'

function packageFolder(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) return import.meta.dirname
    folder = parent
  }
  return folder
}

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'handover')
}

function makeRunFolder(prefix: string): string {
  return mkdtempSync(join(tmpdir(), `${prefix}-${process.pid}-`))
}

function removeStaleRunFolders(prefix: string): void {
  const pattern = new RegExp(`^${prefix}-(\\d+)-`)
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(pattern.exec(name)?.[1])
    if (!pid || existsSync(`/proc/${pid}`)) continue
    rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}

function ensureFolder(path: string, mode?: number): string {
  mkdirSync(path, { recursive: true, ...defined({ mode }) })
  if (mode !== undefined) chmodSync(path, mode)
  return path
}

function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

function exists(path: string): boolean {
  return existsSync(path)
}

function readFile(path: string): Buffer {
  return readFileSync(path)
}

function readEnd(path: string, most: number): Buffer {
  const fd = openSync(path, 'r')
  try {
    const end = Buffer.alloc(most)
    return end.subarray(0, readSync(fd, end, 0, most, Math.max(0, fstatSync(fd).size - most)))
  } finally {
    closeSync(fd)
  }
}

function putFile(path: string, content: string | Uint8Array, mode?: number): void {
  ensureFolder(dirname(path))
  writeFileSync(path, content)
  if (mode !== undefined) chmodSync(path, mode)
}

function copyFile(from: string, to: string): void {
  ensureFolder(dirname(to))
  copyFileSync(from, to, constants.COPYFILE_FICLONE)
  chmodSync(to, statSync(from).mode & 0o7777)
}

function putLink(path: string, target: string): void {
  ensureFolder(dirname(path))
  symlinkSync(target, path)
}

function move(from: string, to: string): void {
  ensureFolder(dirname(to))
  renameSync(from, to)
}

function makeDraftFolder(path: string): string {
  ensureFolder(dirname(path))
  return mkdtempSync(`${path}.draft-`)
}

function settleFolder(draft: string, path: string): void {
  try {
    renameSync(draft, path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    removeTree(draft)
  }
}

function touch(path: string): void {
  utimesSync(path, new Date(), new Date())
}

function listFoldersByAge(folder: string): { readonly name: string; readonly ageSeconds: number }[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, ageSeconds: (Date.now() - statSync(join(folder, name)).mtimeMs) / 1000 }))
    .toSorted((a, b) => a.ageSeconds - b.ageSeconds)
}

function realPath(path: string): string {
  return realpathSync(path)
}

function fileMode(path: string): number {
  return statSync(path).mode & 0o7777
}

function sha256File(path: string): string {
  const hash = createHash('sha256')
  const fd = openSync(path, 'r')
  const chunk = Buffer.alloc(1024 * 1024)
  try {
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk))
      hash.update(chunk.subarray(0, read))
  } finally {
    closeSync(fd)
  }
  return hash.digest('hex')
}

function findProgram(name: string): string | undefined {
  const folders = searchPath().split(':')
  for (const folder of folders) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return path
    } catch {
      // The program is not in this folder.
    }
  }
  return undefined
}

function putSparseFile(path: string, sizeMiB: number): void {
  const fd = openSync(path, 'wx', 0o600)
  try {
    ftruncateSync(fd, sizeMiB * 1024 * 1024)
  } finally {
    closeSync(fd)
  }
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort()
}

export const workFolder: WorkFolder = {
  packageFolder,
  cacheFolder,
  makeRunFolder,
  removeStaleRunFolders,
  ensureFolder,
  removeTree,
  exists,
  readFile,
  readEnd,
  putFile,
  copyFile,
  putLink,
  move,
  makeDraftFolder,
  settleFolder,
  touch,
  listFoldersByAge,
  realPath,
  fileMode,
  sha256File,
  findProgram,
  putSparseFile,
  listFiles,
}
