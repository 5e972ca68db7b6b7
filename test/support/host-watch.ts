/** Did the real host stay as it was? Files newer than a mark, and the drivers of its PCI functions. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export type Mark = { readonly path: string; readonly remove: () => void }

export function mark(): Mark {
  const folder = mkdtempSync(join(tmpdir(), 'handover-mark-'))
  const path = join(folder, 'mark')
  writeFileSync(path, '')
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/**
 * Files and folders changed since the mark, anywhere but in temporary and build folders, kernel file systems, logs and the
 * caches other programs keep for themselves.
 */
export function changedSince({ path }: Mark): string[] {
  const left = [
    '/proc',
    '/sys',
    '/dev',
    '/run',
    '/tmp',
    '/var/tmp',
    '/var/log',
    '/var/lib/systemd',
    tmpdir(),
    ...['.cache', 'dist', 'node_modules', '.git'].map((name) => resolve(name)),
  ]
  const prune = left.flatMap((folder, index) => [...(index === 0 ? [] : ['-o']), '-path', folder])
  const found = spawnSync(
    'find',
    [
      '/',
      '-xdev',
      '(',
      ...prune,
      ')',
      '-prune',
      '-o',
      '-newer',
      path,
      '(',
      '-type',
      'f',
      '-o',
      '-type',
      'l',
      ')',
      '-print',
    ],
    {
      encoding: 'utf8',
      maxBuffer: 64e6,
    },
  )
  return found.stdout.split('\n').filter((line) => line !== '' && !isOfOthers(line))
}

/** What a developer's machine writes all the time without us. */
function isOfOthers(path: string): boolean {
  return (
    /^\/(root|home\/[^/]+)\/\.(npm|cache|local|config|claude|vscode|bash_history)/.test(path) ||
    /^\/var\/(cache|spool|lib\/(apt|dpkg|dhcp|NetworkManager))\//.test(path)
  )
}

export function driversOf(): Record<string, string> {
  const folder = '/sys/bus/pci/devices'
  if (!existsSync(folder)) return {}
  return Object.fromEntries(
    readdirSync(folder).map((address) => {
      const link = join(folder, address, 'driver')
      return [address, existsSync(link) ? readlinkSync(link) : '']
    }),
  )
}
