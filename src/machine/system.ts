/**
 * System: everything effectful, as one interface that is passed in. Only this folder implements it.
 * Reads are synchronous (sysfs answers from memory), and "absent" is never "unreadable".
 */

import type { Attributes } from './attributes.ts'
import type { LockResult } from './lock.ts'

export type ReadFailure = {
  readonly ok: false
  readonly reason: 'absent' | 'unreadable' | 'too-large' | 'not-a-file'
  /** The kernel's error name, such as EACCES, where there is one. */
  readonly code?: string
}
export type ReadResult<T> = { readonly ok: true; readonly value: T } | ReadFailure

export type FileStat = {
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  readonly mode: number
  readonly size: number
  readonly uid: number
  readonly gid: number
  /** How many names it has (hard links). */
  readonly links: number
  /** Device and inode, where there is one: two names with one of these are one file. */
  readonly inode?: string
}

/**
 * Looking only. Paths are absolute and relative to the system's root (`--root`); links are followed inside
 * that root.
 */
export type Reader = {
  /** True for the running machine; false for a file tree that only looks like one. */
  readonly live: boolean
  /** UTF-8, at most `limit` bytes (1 MiB unless told). */
  readText(path: string, limit?: number): ReadResult<string>
  readBytes(path: string, limit?: number): ReadResult<Uint8Array>
  /**
   * The first `most` bytes, or all if there are fewer, in memory that the next call takes again: for a file
   * that thousands of folders have, looked at once. Absent where reading the file whole is as good.
   */
  readonly readHead?: (path: string, most: number) => ReadResult<Uint8Array>
  /** Names in a folder, sorted. */
  list(path: string): ReadResult<readonly string[]>
  /** The text of a symbolic link. */
  readLink(path: string): ReadResult<string>
  /** The path with every link resolved. */
  realPath(path: string): ReadResult<string>
  stat(path: string): ReadResult<FileStat>
  /** Bytes that can still be written to the file system of `path`; not there where that is not recorded. */
  freeBytes?(path: string): number | undefined
  env(name: string): string | undefined
  /**
   * What the running kernel holds about a network interface, as `ip -json link show dev NAME` prints it:
   * settings of virtual functions are in no file. Absent where there is no running kernel to ask.
   */
  readonly showLink?: (name: string) => ReadResult<string>
  /**
   * ACLs and extended attributes of a file; undefined where they cannot be seen, absent where there is
   * nothing to ask.
   */
  readonly readAttributes?: (path: string) => Attributes | undefined
  /**
   * The number of the device node that an open file of a process is (`/proc/801/fd/10`): `char 188:0`, `block
   * 8:16`. Undefined where it is no node; absent where there is no running kernel to ask.
   */
  readonly nodeNumber?: (path: string) => string | undefined
  /**
   * What the running kernel holds about its network, as `ip -json` prints it: /proc/net shows neither the
   * tables of policy routing nor all next hops of a route. Absent where there is no running kernel to ask; a
   * capture keeps the answers (host/needs/network/rtnetlink.ts).
   */
  readonly showNetwork?: (question: NetworkQuestion) => ReadResult<string>
}

/** Interfaces with their addresses, the routes of all tables, the rules that choose a table. */
export type NetworkQuestion = 'address' | 'route4' | 'route6' | 'rule4' | 'rule6'

export type ExecOptions = {
  readonly timeoutSeconds?: number
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** Called for every line of either stream as it comes. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  readonly signal?: AbortSignal
}
/**
 * `status` is undefined when a signal ended it; `timedOut` when that signal was ours. Streams are capped at
 * 16 MiB each.
 */
export type ExecResult = {
  readonly status: number | undefined
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

export type WriteOptions = {
  /** Without these two an existing file keeps its own, and a new one gets 0644 and the caller's user. */
  readonly mode?: number
  readonly owner?: { readonly uid: number; readonly gid: number }
  /**
   * A file, this one or a copy, whose ACLs and extended attributes the new one gets. An AppError is thrown
   * when any would be lost, or nobody can tell.
   */
  readonly attributesOf?: string
  /**
   * Called when all is on the disk, right before the new file takes the place of the old: throws to leave the
   * old one there.
   */
  readonly check?: () => void
}

/**
 * Files that are made for ourselves: caches, run folders, images. Never the configuration of a host, which
 * `System.writeFile` writes for steps alone. Paths are those that other programs open, whatever the root of
 * the System.
 */
export type WorkFolder = {
  /** The folder this program was installed to or checked out in (the one with package.json). */
  packageFolder(): string
  /** `$XDG_CACHE_HOME/handover`. */
  cacheFolder(): string
  /**
   * A fresh temporary folder; its name has the number of this process, so that a later run can clear it away.
   */
  makeRunFolder(prefix: string): string
  /** Removes run folders whose process is gone: what a SIGKILL left behind. */
  removeStaleRunFolders(prefix: string): void
  /** Folders that are made get `mode`; the last one gets it even when it is there. */
  ensureFolder(path: string, mode?: number): string
  removeTree(path: string): void
  exists(path: string): boolean
  readFile(path: string): Buffer
  /** With its parent folders. A plain write: whoever needs the file whole or not at all renames it. */
  putFile(path: string, content: string | Uint8Array, mode?: number): void
  /** Shares blocks where the file system can; follows links. */
  copyFile(from: string, to: string): void
  putLink(path: string, target: string): void
  move(from: string, to: string): void
  /** An empty folder beside `path`, on the same file system, to be filled and then moved there. */
  makeDraftFolder(path: string): string
  /** Renames a folder. Where another process was faster, its folder stays and `draft` goes. */
  settleFolder(draft: string, path: string): void
  /** Sets the time of a file or folder to now. */
  touch(path: string): void
  /** The folders in a folder with the seconds since each was touched, the latest first. */
  listFoldersByAge(folder: string): { readonly name: string; readonly ageSeconds: number }[]
  realPath(path: string): string
  fileMode(path: string): number
  sha256File(path: string): string
  /** The full path of a program on PATH (the folders of root included, as users often lack them). */
  findProgram(name: string): string | undefined
  /** A file of that size which takes no room until it is written to; throws when the file is there. */
  putSparseFile(path: string, sizeMiB: number): void
  /** Names of the files in a folder, sorted; sub-folders are left out. */
  listFiles(folder: string): string[]
}

export type System = Reader & {
  readonly work: WorkFolder
  /**
   * The folder whose files these are; absent for the running machine. Programs are run on the machine in
   * either case.
   */
  readonly root?: string
  /**
   * Runs a program without a shell, in a process group of its own that is ended as a whole. Throws
   * CommandError only when it cannot be started.
   */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /** Durable and atomic: temporary file, mode and owner kept, fsync, rename, fsync of the folder. */
  writeFile(path: string, content: string | Uint8Array, options?: WriteOptions): void
  /** One write(2) to a kernel attribute; throws AppError with the kernel's error name. */
  writeAttribute(path: string, text: string): void
  /**
   * The same from a child process that is given up after `seconds`: unbinding a device in use blocks its
   * writer inside the kernel, and such a process cannot even be killed. Throws AppError when the kernel
   * refuses or time runs out.
   */
  writeAttributeWithin(path: string, text: string, seconds: number): Promise<void>
  /** Adds to the end of a file, creating it; on disk before it returns. */
  appendFile(path: string, text: string): void
  /** One holder at a time; a dead holder's lock is taken over. */
  lock(path: string, what: string): LockResult
  /** Makes what another program wrote durable: the file's bytes and its name. Absent is fine. */
  flush(path: string): void
  /** Removes one file; absent is fine. */
  remove(path: string): void
  makeFolder(path: string, mode?: number): void
  /** Removes a folder if it is empty; otherwise leaves it. */
  removeFolder(path: string): void
  /** Puts a symbolic link in place of the file or link at `path`, atomically. */
  makeLink(path: string, target: string): void
  /** Removes temporary files that a process which died inside writeFile left beside `path`. */
  removeLeftovers(path: string): void
  /** Adds an entry to the system's own journal, as well as that can be done. Absent for a file tree. */
  readonly log?: (entry: LogEntry) => void
  now(): Date
  sleep(milliseconds: number): Promise<void>
  /** Starts a program that goes on running, in a process group of its own; the caller ends it. */
  start(argv: readonly string[], options?: StartOptions): Promise<Running>
  /** Connects to a unix socket; throws AppError when nobody listens. */
  connect(socketPath: string): Promise<Connection>
  /** Sends a signal to one process; false when it no longer exists. */
  signal(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 0): boolean
}

/** `fields` are names of journald's kind (systemd.journal-fields(7)) with their values. */
export type LogEntry = {
  readonly message: string
  readonly severity: 'notice' | 'error'
  readonly fields: Readonly<Record<string, string>>
}

export type StartOptions = {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** A file both streams are appended to; without it they are collected (last 64 KiB). */
  readonly logFile?: string
  /** It lives on when we end. Without this it is ended with us, however we end. */
  readonly detached?: boolean
}

export type Running = {
  readonly pid: number
  /** Settles when the process has ended; never rejects. */
  readonly ended: Promise<{ readonly status: number | undefined; readonly signal: string | undefined }>
  /** The last of what it printed, when no log file was given. */
  tail(): string
  /** Ends the whole process group: SIGTERM, then SIGKILL after `graceMs` (2000 unless told). */
  stop(graceMs?: number): Promise<void>
}

/** A byte stream with text on it. Closing is idempotent. */
export type Connection = {
  write(text: string): void
  onText(listener: (text: string) => void): void
  onClose(listener: () => void): void
  close(): void
}
