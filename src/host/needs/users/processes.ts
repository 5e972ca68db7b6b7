/**
 * Reads the open files of all programs once from /proc/PID/fd. device-nodes.ts finds the function of a device
 * node. A program whose open files cannot be read is hidden; it never counts as a program without open files.
 */
import { defined } from '../../../base/defined.ts'
import { namesIn, textOf, type Reading } from '../../read/reading.ts'

export type OpenFile = {
  /** The number of the descriptor. */
  readonly fd: string
  /** The path in the program's own file system: `/dev/ttyACM0`. */
  readonly path: string
}

export type Process = {
  readonly pid: string
  /** Device nodes only, one line for each. */
  readonly open: readonly OpenFile[]
  /** Numbers of the sockets it holds (`socket:[70011]`). */
  readonly sockets: readonly string[]
  /** The program runs a virtual machine (`anon_inode:kvm-vm` or /dev/kvm is open). */
  readonly runsGuest: boolean
}

export type Processes = {
  readonly list: readonly Process[]
  /** Present if the open files of a program could not be read, with place and reason. */
  readonly hidden?: { readonly path: string; readonly why: string }
}

const processLimit = 100_000
const fileLimit = 1_000_000

/** All of /proc is read once for each Reading. */
const known = new WeakMap<Reading, Processes>()

export function readProcesses(reading: Reading): Processes {
  const processes = known.get(reading) ?? findProcesses(reading)
  known.set(reading, processes)
  return processes
}

function findProcesses(reading: Reading): Processes {
  const pids = namesIn(reading, '/proc').filter((name) => /^\d{1,10}$/.test(name))
  const list: Process[] = []
  let hidden = unlisted(reading, pids)
  let files = 0
  let isNoted = false
  for (const pid of pids.slice(0, processLimit)) {
    const { process, why, isUnreadable } = readProcess(reading, pid, fileLimit - files)
    files += process.open.length
    list.push(process)
    if (why === undefined) continue
    hidden ??= { path: `/proc/${pid}/fd`, why }
    // One hidden program has the same effect as many, and a capture keeps one, so only the first is noted.
    if (isUnreadable && !isNoted) namesIn(reading, `/proc/${pid}/fd`)
    isNoted ||= isUnreadable
  }
  return { list, ...defined({ hidden }) }
}

/**
 * With the mount option `hidepid`, /proc lists only the user's own programs. Process 1 exists on every
 * machine.
 */
function unlisted(reading: Reading, pids: readonly string[]): Processes['hidden'] {
  if (pids.length > processLimit) return { path: '/proc', why: 'there are more programs than are looked at' }
  if (!reading.system.live || pids.includes('1')) return undefined
  return { path: '/proc', why: 'it lists some programs only (hidepid)' }
}

type ReadProcess = { readonly process: Process; readonly why?: string; readonly isUnreadable: boolean }

function readProcess(reading: Reading, pid: string, most: number): ReadProcess {
  const folder = `/proc/${pid}/fd`
  const listed = reading.system.list(folder)
  const none: Process = { pid, open: [], sockets: [], runsGuest: false }
  // A program that ended meanwhile has no open files. A tree without the folder shows nothing about it.
  if (!listed.ok) {
    const isUnreadable = listed.reason === 'unreadable'
    return {
      ...{ process: none, isUnreadable },
      ...(isUnreadable ? { why: `it cannot be read (${listed.code ?? 'error'})` } : {}),
    }
  }
  const open: OpenFile[] = []
  const sockets: string[] = []
  const seen = new Set<string>()
  let runsGuest = false
  let why = listed.value.length > most ? 'there are more open files than are looked at' : undefined
  for (const fd of listed.value.slice(0, most)) {
    const link = reading.system.readLink(`${folder}/${fd}`)
    if (!link.ok) {
      if (link.reason === 'unreadable') why ??= `it cannot be read (${link.code ?? 'error'})`
      continue
    }
    const path = link.value.replace(/ \(deleted\)$/, '')
    if (path === 'anon_inode:kvm-vm' || path === '/dev/kvm') runsGuest = true
    const socket = socketNumber(path)
    if (socket !== undefined) sockets.push(socket)
    if (!isWatched(path) || seen.has(path)) continue
    seen.add(path)
    open.push({ fd, path })
  }
  return { process: { pid, open, sockets, runsGuest }, isUnreadable: false, ...defined({ why }) }
}

/** `socket:[70011]` → `70011`, as /proc/net/tcp numbers it. */
export function socketNumber(target: string): string | undefined {
  return /^socket:\[(\d{1,20})\]$/.exec(target)?.[1]
}

/** Nodes without a PCI function; nearly every program has some of them open. */
const virtualNodes =
  /^\/dev\/(?:null|zero|full|u?random|tty\d*|console|ptmx|pts\/.*|shm\/.*|mqueue\/.*|hugepages.*|fuse|net\/tun|kvm|kmsg|userfaultfd|rfkill|uinput|uhid|autofs|loop-control|mapper\/control|btrfs-control|vhost-(?:net|vsock|scsi)|vfio\/vfio|iommu|udmabuf|dma_heap\/.*|log|stdin|stdout|stderr)$/

export function isWatched(path: string): boolean {
  return path.startsWith('/dev/') && !virtualNodes.test(path)
}

/** The program's name without control characters, since whoever starts a program chooses its name. */
export function programName(reading: Reading, pid: string): string {
  const [first = ''] = argumentsOf(reading, pid)
  const full = cleaned(first.slice(first.lastIndexOf('/') + 1))
  const comm = cleaned(textOf(reading, `/proc/${pid}/comm`) ?? '')
  // The kernel keeps fifteen characters.
  const name = comm !== '' && !(comm.length >= 15 && full.startsWith(comm)) ? comm : full
  return name === '' ? `process ${pid}` : name
}

export function argumentsOf(reading: Reading, pid: string): readonly string[] {
  const cmdline = reading.system.readText(`/proc/${pid}/cmdline`)
  return cmdline.ok ? cmdline.value.split('\0') : []
}

/** Removes control characters, and characters that hide text or reverse its direction. */
export function cleaned(text: string): string {
  return text
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim()
    .slice(0, 64)
}

/** `-name firewall,debug-threads=on` or `-name guest=firewall,…` of QEMU. */
export function guestName(args: readonly string[]): string | undefined {
  const at = args.indexOf('-name')
  const value = at < 0 ? undefined : args[at + 1]
  const name = value === undefined ? undefined : /(?:^|,)(?:guest=)?([^,=]+)/.exec(value)?.[1]
  return name === undefined ? undefined : cleaned(name) || undefined
}

/**
 * The number of the node behind `/proc/801/fd/10`: `char 188:0`. `undefined` in a tree, which has only names.
 */
export function nodeNumber(reading: Reading, pid: string, { fd }: OpenFile): string | undefined {
  return reading.system.nodeNumber?.(`/proc/${pid}/fd/${fd}`)
}
