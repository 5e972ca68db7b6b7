// How long plan() takes on a huge host: 4,096 functions, 64 VMs, 256 roles; possible ones and impossible
// ones. Run with tsx (npm run bench:plan), since it measures the sources. Limits: 1 s to plan, 5 s to
// explain, of processor time: what others do on the machine does not count. The time on the wall is shown
// beside it.
import { plan } from '../src/plan/plan.ts'
import { parseSpec } from '../src/spec/parse-spec.ts'
import { bigHost, bigSpec, cases } from '../test/support/big-host.ts'

let failed = false
for (const one of cases) {
  const host = bigHost(one.host)
  const { spec, findings } = parseSpec(bigSpec(one.spec), 'bench.yaml')
  if (spec === undefined) throw new Error(JSON.stringify(findings[0]))
  const roles = spec.vms.reduce((sum, vm) => sum + vm.devices.length, 0)
  const [wall, processor] = [performance.now(), process.cpuUsage()]
  const result = plan(host, spec)
  const used = process.cpuUsage(processor)
  const seconds = (used.user + used.system) / 1e6
  const waited = (performance.now() - wall) / 1000
  const conflicts = result.findings.filter(
    (f) => f.code === 'demands-conflict' || f.code === 'device-twice',
  ).length
  const limit = one.possible ? 1 : 5
  const good = seconds < limit && (conflicts === 0) === one.possible
  failed ||= !good
  console.log(
    `${good ? 'ok  ' : 'FAIL'} ${seconds.toFixed(2)} s of ${limit} (wall ${waited.toFixed(2)} s)  ${one.name}: ${host.devices.length} functions, ${spec.vms.length} VMs, ${roles} roles, ` +
      `${result.assignments.length} assigned, ${result.takenAlong.length} along, ${conflicts} conflicts`,
  )
}
process.exitCode = failed ? 1 : 0
