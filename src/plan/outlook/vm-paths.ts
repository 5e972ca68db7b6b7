/** The paths that a spec names, and what this machine has there. */
import type { Host, HostPath } from '../../host/host.ts'
import type { DiskSpec, Spec, SpecPath } from '../../spec/spec.ts'
import { firmwareFiles } from '../../spec/firmware-files.ts'

export type NamedPath = {
  readonly vm: string
  readonly path: string
  readonly what: 'disk' | 'iso' | 'kernel' | 'initrd'
  /** The disk of the spec, where it is one. */
  readonly disk?: DiskSpec
  /** Where the spec says so. */
  readonly place: SpecPath
}

export function namedPaths(spec: Spec): NamedPath[] {
  return spec.vms.flatMap(({ name, disks, iso, kernel }) => {
    const at = (...rest: SpecPath): SpecPath => ['vms', name, ...rest]
    const of = (what: NamedPath['what'], path: string | undefined, place: SpecPath): NamedPath[] =>
      path === undefined ? [] : [{ vm: name, path, what, place }]
    return [
      ...disks.map((disk, i): NamedPath => {
        return { vm: name, path: disk.path, what: 'disk', disk, place: at('disks', i, 'path') }
      }),
      ...of('iso', iso, at('iso')),
      ...of('kernel', kernel?.image, at('kernel', 'image')),
      ...of('initrd', kernel?.initrd, at('kernel', 'initrd')),
    ]
  })
}

/** What a machine has to be asked about before this spec is planned on it. */
export function pathsToAsk(spec: Spec): string[] {
  const firmware = spec.vms.some((vm) => vm.firmware === 'uefi') ? firmwareFiles.flat() : []
  return [...namedPaths(spec).map(({ path }) => path), ...firmware]
}

/** Undefined where the machine was not asked: then no finding is about the path. */
export function pathFinder(host: Host): (path: string) => HostPath | undefined {
  const known = new Map(host.paths?.map((one) => [one.path, one]))
  return (path) => known.get(path)
}
