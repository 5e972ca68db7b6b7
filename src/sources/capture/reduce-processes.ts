/**
 * Reduces the running programs. A program with an open device node keeps its name and the node; a virtual
 * machine keeps its name and the functions in its arguments. Other programs are dropped.
 */
import { guestName, isWatched, socketNumber } from '../../host/needs/users/processes.ts'
import { isSessionProgram } from '../../host/needs/network/sessions.ts'
import { functionsInArguments } from '../../host/needs/users/virtual-machines.ts'
import type { Recording } from './recording.ts'

const ofProcess = /^\/proc\/(\d+)(\/.*)?$/
const openFile = /^\/proc\/(\d+)\/fd\/\d+$/

export function reduceProcesses(recording: Recording): Recording {
  const links = new Map(
    [...recording.links].filter(([path, target]) => {
      const pid = openFile.exec(path)?.[1]
      return pid === undefined || isKept(target) || isSession(recording, pid, target)
    }),
  )
  const hidden = firstHidden(recording)
  const { files, pids } = reduceFiles(recording, links)
  const away = namespaceApart(recording)
  // Without process 1, which every machine has, /proc would look as if it hid processes.
  const keptNames = new Set([
    ...pids,
    '1',
    ...(hidden === undefined ? [] : [hidden.pid]),
    ...(away ? [away] : []),
  ])
  for (const path of links.keys()) {
    const pid = /^\/proc\/(\d+)\/ns\//.exec(path)?.[1]
    if (pid !== undefined && pid !== away) links.delete(path)
  }
  return {
    ...recording,
    files,
    links,
    folders: reduceFolders(recording, { keptNames, links }),
    unreadable: reduceUnreadable(recording, hidden, away),
    nodes: new Map([...recording.nodes].filter(([path]) => links.has(path))),
  }
}

/** The command lines and program names that are kept, and the ids of their processes. */
function reduceFiles(recording: Recording, links: ReadonlyMap<string, string>) {
  const files = new Map(recording.files)
  const pids = new Set([...links.keys()].flatMap((path) => openFile.exec(path)?.[1] ?? []))
  for (const [path, bytes] of recording.files) {
    const [, pid, rest] = ofProcess.exec(path) ?? []
    if (pid === undefined || rest !== '/cmdline') continue
    const command = reduceCommand(new TextDecoder().decode(bytes), commOf(recording, pid), pids.has(pid))
    if (command === undefined) files.delete(path)
    else files.set(path, new TextEncoder().encode(command))
    if (command !== undefined) pids.add(pid)
  }
  for (const path of recording.files.keys()) {
    const pid = /^\/proc\/(\d+)\/comm$/.exec(path)?.[1]
    if (pid !== undefined && !pids.has(pid)) files.delete(path)
  }
  return { files, pids }
}

/** Whether this is a socket of a session program; reduce-network.ts keeps its connection. */
function isSession(recording: Recording, pid: string, target: string): boolean {
  return socketNumber(target) !== undefined && isSessionProgram(commOf(recording, pid))
}

function isKept(target: string): boolean {
  return (
    isWatched(target.replace(/ \(deleted\)$/, '')) || target === '/dev/kvm' || target === 'anon_inode:kvm-vm'
  )
}

function reduceFolders(
  { folders }: Recording,
  {
    keptNames,
    links,
  }: { readonly keptNames: ReadonlySet<string>; readonly links: ReadonlyMap<string, string> },
): Map<string, readonly string[]> {
  const kept = new Map<string, readonly string[]>()
  for (const [path, names] of folders) {
    if (path === '/proc')
      kept.set(
        path,
        names.filter((name) => keptNames.has(name)),
      )
    else if (!/^\/proc\/\d+\/fd$/.test(path)) kept.set(path, names)
    else {
      const fds = names.filter((name) => links.has(`${path}/${name}`))
      if (fds.length > 0) kept.set(path, fds)
    }
  }
  return kept
}

/** One hidden program has the same effect on the result as many, so one is kept. */
function firstHidden({ unreadable }: Recording): { readonly pid: string; readonly code: string } | undefined {
  for (const [path, code] of unreadable) {
    const pid = /^\/proc\/(\d+)\/fd(?:\/\d+)?$/.exec(path)?.[1]
    if (pid !== undefined) return { pid, code }
  }
  return undefined
}

function reduceUnreadable(
  { unreadable }: Recording,
  hidden: ReturnType<typeof firstHidden>,
  away: string | undefined,
): Map<string, string> {
  const kept = new Map([...unreadable].filter(([path]) => !/^\/proc\/\d+\//.test(path)))
  if (hidden !== undefined) kept.set(`/proc/${hidden.pid}/fd`, hidden.code)
  const namespace = `/proc/${away ?? ''}/ns/net`
  const code = unreadable.get(namespace)
  if (code !== undefined) kept.set(namespace, code)
  return kept
}

/**
 * A program in another network namespace, or one whose namespace cannot be read. One has the same effect as
 * many.
 */
function namespaceApart({ links, unreadable }: Recording): string | undefined {
  const own = links.get('/proc/self/ns/net') ?? links.get('/proc/1/ns/net')
  const inAnother = [...links].find(([path, target]) => /^\/proc\/\d+\/ns\/net$/.test(path) && target !== own)
  const path = inAnother?.[0] ?? [...unreadable.keys()].find((one) => /^\/proc\/\d+\/ns\/net$/.test(one))
  return /^\/proc\/(\d+)\//.exec(path ?? '')?.[1]
}

function commOf({ files }: Recording, pid: string): string {
  return new TextDecoder().decode(files.get(`/proc/${pid}/comm`) ?? new Uint8Array()).trim()
}

/**
 * Arguments and titles may hold names and passwords, so only the program's name, its VM's name and its
 * functions are kept.
 */
function reduceCommand(text: string, comm: string, isHolder: boolean): string | undefined {
  const args = text.split('\0')
  const { functions, saysVfio } = functionsInArguments(args)
  const isGuest = functions.size > 0 && (saysVfio || isHolder)
  if (!isGuest && !isHolder) return undefined
  const [first = ''] = args
  const program = /^[\w.+-]{1,64}/.exec(first.slice(first.lastIndexOf('/') + 1))?.[0] ?? ''
  const at = guestName(args) === undefined ? -1 : args.indexOf('-name')
  return [
    comm === '' || program.startsWith(comm) ? program : comm,
    ...(at < 0 ? [] : ['-name', args[at + 1] ?? '']),
    ...[...functions].flatMap((one) => ['-device', `vfio-pci,host=${one}`]),
  ].join('\0')
}
