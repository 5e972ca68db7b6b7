/**
 * The port to the machine: every effect of this program goes through System, which only this folder
 * implements. Reads are synchronous, since sysfs answers from memory. A file that cannot be read is never
 * reported as absent.
 */

import type { Attributes } from './attributes.ts'
import type { LockResult } from './lock.ts'

export type ReadFailure = {
  readonly ok: false
  readonly reason: 'absent' | 'unreadable' | 'too-large' | 'not-a-file'
  /** The kernel's name of the error, such as EACCES. */
  readonly code?: string
}
export type ReadResult<T> = { readonly ok: true; readonly value: T } | ReadFailure

export type FileStat = {
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  readonly mode: number
  readonly size: number
  readonly uid: number
  readonly gid: number
  /** The number of hard links. */
  readonly links: number
  /** Device and inode. Two paths with the same value are the same file. */
  readonly inode?: string
}

/**
 * The part that changes nothing. Paths begin with `/`, which is the System's root (`--root`); links stay
 * inside it.
 */
export type Reader = {
  /** True for the running machine, false for a file tree. */
  readonly live: boolean
  /** UTF-8, at most `limit` bytes (default: 1 MiB). */
  readText(path: string, limit?: number): ReadResult<string>
  readBytes(path: string, limit?: number): ReadResult<Uint8Array>
  /**
   * The first `most` bytes, or all if there are fewer. The next call uses the same memory. It is for a file
   * that thousands of folders contain. Absent where reading the whole file is as fast.
   */
  readonly readHead?: (path: string, most: number) => ReadResult<Uint8Array>
  /** Names in a folder, sorted. */
  list(path: string): ReadResult<readonly string[]>
  /** The target of a symbolic link, as it is written there. */
  readLink(path: string): ReadResult<string>
  /** The path with every link resolved. */
  realPath(path: string): ReadResult<string>
  stat(path: string): ReadResult<FileStat>
  /** Free bytes on the file system of `path`. Absent where they are not known. */
  freeBytes?(path: string): number | undefined
  env(name: string): string | undefined
  /**
   * The output of `ip -json link show dev NAME`: no file has the settings of virtual functions. Absent where
   * there is no running kernel.
   */
  readonly showLink?: (name: string) => ReadResult<string>
  /**
   * ACLs and extended attributes of a file; undefined when they cannot be read. Absent where they are not
   * known.
   */
  readonly readAttributes?: (path: string) => Attributes | undefined
  /**
   * The number of the device node behind an open file of a process (`/proc/801/fd/10`): `char 188:0` or
   * `block 8:16`. Undefined when the file is not a device node. Absent where there is no running kernel.
   */
  readonly nodeNumber?: (path: string) => string | undefined
  /**
   * The output of `ip -json`: /proc/net shows neither the tables of policy routing nor all next hops of a
   * route. Absent where there is no running kernel; a capture contains the answers
   * (host/needs/network/rtnetlink.ts).
   */
  readonly showNetwork?: (question: NetworkQuestion) => ReadResult<string>
}

/**
 * `address`: interfaces with their addresses. `route…`: the routes of all tables. `rule…`: which table is
 * used.
 */
export type NetworkQuestion = 'address' | 'route4' | 'route6' | 'rule4' | 'rule6'

export type ExecOptions = {
  readonly timeoutSeconds?: number
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** Called for every line of both streams when it arrives. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  readonly signal?: AbortSignal
}
/** `status` is undefined when a signal ended the program. Each stream is cut at 16 MiB. */
export type ExecResult = {
  readonly status: number | undefined
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

export type WriteOptions = {
  /** Without `mode` and `owner`, an existing file keeps them; a new one gets 0644 and the caller's user. */
  readonly mode?: number
  readonly owner?: { readonly uid: number; readonly gid: number }
  /**
   * The file whose ACLs and extended attributes the new file gets: the old file or a copy of it. Throws
   * AppError when an attribute would be lost, or when they cannot be read.
   */
  readonly attributesOf?: string
  /** Called right before the new file replaces the old one. When it throws, the old file stays. */
  readonly check?: () => void
}

/**
 * The program's own files: caches, run folders, images. The configuration of a host is never written here:
 * only steps write it, by `System.writeFile`. Paths do not depend on the root of the System, since other
 * programs open them.
 */
export type WorkFolder = {
  /** The folder of this program that has the package.json. */
  packageFolder(): string
  /** `$XDG_CACHE_HOME/handover`. */
  cacheFolder(): string
  /** A new temporary folder. Its name contains our process id, so that a later run can remove it. */
  makeRunFolder(prefix: string): string
  /** Removes the run folders of processes that have ended, for example by SIGKILL. */
  removeStaleRunFolders(prefix: string): void
  /** New folders get `mode`; the last folder gets it even when it exists. */
  ensureFolder(path: string, mode?: number): string
  removeTree(path: string): void
  exists(path: string): boolean
  readFile(path: string): Buffer
  /** At most the last `most` bytes; a log may be too large to be read as a whole. */
  readEnd(path: string, most: number): Buffer
  /**
   * Creates the parent folders. The write is not atomic; a caller that needs that moves the file afterwards.
   */
  putFile(path: string, content: string | Uint8Array, mode?: number): void
  /** Shares blocks where the file system can; follows links. */
  copyFile(from: string, to: string): void
  putLink(path: string, target: string): void
  move(from: string, to: string): void
  /** An empty folder beside `path`, on the same file system, which `settleFolder` can rename to `path`. */
  makeDraftFolder(path: string): string
  /** Renames `draft` to `path`. When another process was faster, its folder stays and `draft` is removed. */
  settleFolder(draft: string, path: string): void
  /** Sets the time of a file or folder to now. */
  touch(path: string): void
  /** The folders in a folder with the seconds since they were touched, the newest first. */
  listFoldersByAge(folder: string): { readonly name: string; readonly ageSeconds: number }[]
  realPath(path: string): string
  fileMode(path: string): number
  sha256File(path: string): string
  /** The full path of a program. Also searches the sbin folders, which users often do not have in PATH. */
  findProgram(name: string): string | undefined
  /** Creates a file of that size without allocating blocks. Throws when the file exists. */
  putSparseFile(path: string, sizeMiB: number): void
  /** The sorted names of the files in a folder, without sub-folders. */
  listFiles(folder: string): string[]
}

export type System = Reader & {
  readonly work: WorkFolder
  /** The root folder; absent for the running machine. Programs always run on the machine itself. */
  readonly root?: string
  /** Runs a program without a shell. Throws CommandError only when it cannot be started. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /** Durable and atomic: a crash leaves either the old or the new file. */
  writeFile(path: string, content: string | Uint8Array, options?: WriteOptions): void
  /** One write(2) to a kernel attribute. Throws AppError with the kernel's name of the error. */
  writeAttribute(path: string, text: string): void
  /**
   * Like `writeAttribute`, but a child process writes and is abandoned after `seconds`: the unbind of a
   * device in use blocks its writer inside the kernel, and such a process cannot be killed. Throws AppError
   * when the kernel refuses or does not answer in time.
   */
  writeAttributeWithin(path: string, text: string, seconds: number): Promise<void>
  /** Appends to a file, or creates it. The text is on disk when this returns. */
  appendFile(path: string, text: string): void
  /** One holder at a time. The lock of a process that died is taken over. */
  lock(path: string, what: string): LockResult
  /** Makes the file of another program durable, its bytes and its name, if it exists. */
  flush(path: string): void
  /**
   * Makes the file systems of these paths readable without their logs, as boot loaders read them. Absent for
   * a file tree.
   */
  readonly checkpoint?: (paths: readonly string[]) => Promise<void>
  /** Removes one file, if it exists. */
  remove(path: string): void
  makeFolder(path: string, mode?: number): void
  /** Removes a folder if it is empty. */
  removeFolder(path: string): void
  /** Replaces the file or link at `path` by a symbolic link, atomically. */
  makeLink(path: string, target: string): void
  /** Removes the temporary files beside `path` of processes that died inside `writeFile`. */
  removeLeftovers(path: string): void
  /**
   * Adds an entry to the system's journal; an entry that cannot be written is dropped. Absent for a file
   * tree.
   */
  readonly log?: (entry: LogEntry) => void
  now(): Date
  sleep(milliseconds: number): Promise<void>
  /** Starts a program in a process group of its own, and does not wait for its end. */
  start(argv: readonly string[], options?: StartOptions): Promise<Running>
  /** Connects to a unix socket. Throws AppError when nothing listens. */
  connect(socketPath: string): Promise<Connection>
  /** Sends a signal to one process; false when it no longer exists. */
  signal(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 0): boolean
}

/** The names of `fields` follow the rules of systemd.journal-fields(7). */
export type LogEntry = {
  readonly message: string
  readonly severity: 'notice' | 'error'
  readonly fields: Readonly<Record<string, string>>
}

export type StartOptions = {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Both streams are appended to this file. Without it, the last 64 KiB are kept for `tail`. */
  readonly logFile?: string
  /** The program survives this process. Without this it ends together with this process, even on SIGKILL. */
  readonly detached?: boolean
}

export type Running = {
  readonly pid: number
  /** Resolves when the process has ended; never rejects. */
  readonly ended: Promise<{ readonly status: number | undefined; readonly signal: string | undefined }>
  /** The end of the output; empty with a log file. */
  tail(): string
  /** Ends the whole process group: SIGTERM, then SIGKILL after `graceMs` (default: 2000). */
  stop(graceMs?: number): Promise<void>
}

/** A stream of UTF-8 text. `close` may be called more than once. */
export type Connection = {
  write(text: string): void
  onText(listener: (text: string) => void): void
  onClose(listener: () => void): void
  close(): void
}
