/**
 * The files that a VM starts from: what is not there, or no file at all, is found now and not at `up`. An
 * image that is missing may be made later; an ISO or a kernel may not.
 */
import { defined } from '../../base/defined.ts'
import type { Finding } from '../../base/finding.ts'
import type { Host, HostPath } from '../../host/host.ts'
import { placeOf, type SpecPlaces } from '../../spec/places.ts'
import type { Spec } from '../../spec/spec.ts'
import { namedPaths, pathFinder, type NamedPath } from './vm-paths.ts'

const words = { disk: 'disk', iso: 'ISO', kernel: 'kernel', initrd: 'initrd' } as const

export function checkVmFiles(host: Host, spec: Spec, places?: SpecPlaces): Finding[] {
  const find = pathFinder(host)
  return namedPaths(spec).flatMap((named) => {
    const at = placeOf(places, named.place)
    const found = isProtocol(named.path) ? protocolNamed(named) : wrongAt(named, find(named.path))
    return found === undefined ? [] : [{ ...found, ...defined({ at }) }]
  })
}

/**
 * QEMU takes a word and a colon before the first slash for a protocol: `host_device:/dev/sda` is a disk, and
 * no file.
 */
function isProtocol(path: string): boolean {
  return /^[^/]*:/.test(path)
}

function protocolNamed({ vm, path, what }: NamedPath): Finding {
  return {
    code: 'spec-value',
    severity: 'error',
    message: `${words[what]} of ${vm}: QEMU would take ${path} for a protocol and not for a file`,
    help: 'write the whole path, from / on',
  }
}

function wrongAt(named: NamedPath, there: HostPath | undefined): Finding | undefined {
  if (there?.kind === 'absent') return missing(named)
  if (there?.kind === 'folder') return noFile(named, 'a folder')
  if (there?.kind === 'other') return noFile(named, 'no file and no block device')
  // What an ISO is decides nothing; an image may be a disk of the host.
  return there?.kind === 'unreadable' && named.what === 'disk' ? unseen(named) : undefined
}

function missing({ vm, path, what, disk }: NamedPath): Finding | undefined {
  // What is made below /dev is a file in memory, and no device.
  const isDevice = path.startsWith('/dev/')
  if (disk?.sizeMiB !== undefined && !isDevice) return undefined
  const isLater = what === 'disk' && !isDevice
  return {
    code: 'file-missing',
    severity: isLater ? 'warning' : 'error',
    message: `${words[what]} of ${vm}: ${path} is not there${isLater ? ' yet' : ''}`,
    help: isLater
      ? 'give it a size in the spec, and up creates it'
      : `put it there, or correct the path: ls -l ${path}`,
  }
}

function noFile({ vm, path, what }: NamedPath, kind: string): Finding {
  return {
    code: 'file-missing',
    severity: 'error',
    message: `${words[what]} of ${vm}: ${path} is ${kind}`,
    help: 'name a file',
  }
}

function unseen({ vm, path }: NamedPath): Finding {
  return {
    code: 'need-lost',
    severity: 'error',
    message: `disk of ${vm}: what ${path} is may not be read, so it may be a disk of the host`,
    help: 'run the same command as root',
  }
}
