/**
 * What is laid over the lab host's root file system at boot: the built tool, the owner's spec, the lab's own
 * scripts.
 */
import type { System } from '../machine/system.ts'
import { dirname, join, resolve } from 'node:path'
import { AppError, UsageError } from '../base/errors.ts'
import type { CpioEntry } from '../images/cpio.ts'
import { functionsOf, type Topology } from './topology.ts'

/** The built tool as it is installed in a lab host: paths below /opt/handover. */
export function toolFiles(system: System): { readonly path: string; readonly content: Uint8Array }[] {
  const dist = join(system.work.packageFolder(), 'dist')
  if (!system.work.exists(join(dist, 'handover.cjs'))) {
    throw new AppError('the tool is not built, and the lab runs the built tool', { help: 'npm run build' })
  }
  return [
    ...system.work
      .listFiles(dist)
      .filter((name) => /\.(?:cjs|cache)$/.test(name))
      .map((name) => ({ path: `dist/${name}`, content: system.work.readFile(join(dist, name)) })),
    {
      path: 'package.json',
      content: system.work.readFile(join(system.work.packageFolder(), 'package.json')),
    },
  ]
}

export function labOverlay(system: System, topology: Topology, topologyFile: string): CpioEntry[] {
  const file = (path: string, content: string | Uint8Array, mode = 0o644): CpioEntry => ({
    kind: 'file',
    path,
    content: Buffer.from(content),
    mode,
  })
  const script = (name: string) =>
    file(`lib/lab/${name}`, system.work.readFile(join(system.work.packageFolder(), 'lab/host', name)), 0o755)
  const management = functionsOf(topology).find(({ fn }) => fn.use === 'management')
  return [
    ...toolFiles(system).map(({ path, content }) => file(`opt/handover/${path}`, content)),
    file('usr/bin/handover', '#!/bin/sh\nexec node /opt/handover/dist/handover.cjs "$@"\n', 0o755),
    file('lib/lab/management-mac', `${management?.fn.mac ?? ''}\n`),
    script('snapshot.sh'),
    script('measure.sh'),
    ...(topology.spec === undefined
      ? []
      : [file('root/home.yaml', readSpec(system, topology.spec, topologyFile))]),
  ]
}

export function readSpec(system: System, spec: string, topologyFile: string): Uint8Array {
  const path = resolve(dirname(topologyFile), spec)
  if (system.work.exists(path)) return system.work.readFile(path)
  throw new UsageError(`${topologyFile} names the spec ${spec}, which is not there`, `looked for ${path}`)
}
