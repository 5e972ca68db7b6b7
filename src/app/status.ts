/** status: every VM of the plan in force and every one that runs: its state, and what it said last. */
import { readLastApplied } from '../apply/journal.ts'
import { defined } from '../base/defined.ts'
import type { VmRecord } from '../engines/engine.ts'
import { engine, runningVms } from '../engines/engines.ts'
import { explain, type Explanation } from '../explain/explain.ts'
import type { System } from '../machine/system.ts'
import { readServices, type ServiceState } from './service.ts'

/**
 * `starting`: its process runs, and it does not answer yet. `waiting`: its service is about to start it.
 * `failed`: its service gave up. `stopped`: nothing starts it until somebody asks for it.
 */
export type VmState = 'running' | 'starting' | 'waiting' | 'stopping' | 'failed' | 'stopped'

export type VmStatus = {
  readonly name: string
  readonly state: VmState
  /** What runs, where something does. */
  readonly record?: VmRecord
  /** Of what runs, else of the plan in force. */
  readonly functions: VmRecord['functions']
  /** Of what runs. */
  readonly consoleSocket?: string
  /** What its service said last, and how often systemd started it again. */
  readonly service?: Pick<ServiceState, 'said' | 'restarts'>
  /** Why it ended, where its last words are known to the table of failures. */
  readonly cause?: Pick<Explanation, 'cause' | 'proof' | 'remedy'>
  /** The last line of its console, or of the log of its process. */
  readonly lastLine: string
}

export async function vmStatus(system: System): Promise<VmStatus[]> {
  const applied = readLastApplied(system)
  const running = runningVms(system)
  const names = new Set([...(applied?.startOrder ?? []), ...running.map(({ name }) => name)])
  // The services of the running machine say nothing about another tree.
  const services = system.live ? await readServices(system, [...names]) : new Map<string, ServiceState>()
  return [...names].map((name): VmStatus => {
    const record = running.find((vm) => vm.name === name)
    const service = services.get(name)
    const given = [...(applied?.assignments ?? []), ...(applied?.takenAlong ?? [])].filter(
      ({ vm }) => vm === name,
    )
    const planned = given.map((one) => ({ role: 'role' in one ? one.role : '', address: one.address }))
    return {
      ...{ name, state: stateOf(record, service), functions: record?.functions ?? planned },
      ...defined({ record, service }),
      ...(record === undefined ? {} : { consoleSocket: engine.consoleSocket(system, name) }),
      ...(record === undefined ? causeOf(system, name) : {}),
      lastLine: engine.lastWords(system, name, 1),
    }
  })
}

/** The end of a log is enough: what ended a VM is what it said last. */
function causeOf(system: System, name: string): Pick<VmStatus, 'cause'> {
  const known = explain(engine.lastWords(system, name, 30)).findLast(({ severity }) => severity === 'error')
  return known === undefined
    ? {}
    : { cause: { cause: known.cause, proof: known.proof, remedy: known.remedy } }
}

function stateOf(record: VmRecord | undefined, service: ServiceState | undefined): VmState {
  const active = service?.active ?? ''
  if (active === 'deactivating') return 'stopping'
  if (record !== undefined)
    return record.starting === true || active === 'activating' ? 'starting' : 'running'
  if (active === 'activating') return 'waiting'
  return active === 'failed' ? 'failed' : 'stopped'
}
