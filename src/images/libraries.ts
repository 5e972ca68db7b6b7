/** The shared libraries a program needs, as the dynamic loader names them (`ldd`). */
import { AppError } from '../base/errors.ts'
import type { System } from '../machine/system.ts'

/** Absolute paths; empty for a static program. */
export async function librariesOf(system: System, programs: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (const program of programs) {
    const result = await system.exec(['ldd', program], { timeoutSeconds: 30 })
    if (/not a dynamic executable|statically linked/.test(result.stdout + result.stderr)) continue
    if (result.status !== 0) throw new AppError(`ldd cannot read ${program}: ${result.stderr.trim()}`)
    for (const line of result.stdout.split('\n')) {
      const path = /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1]
      if (path !== undefined) found.add(path)
      const lost = /^\s*(\S+) => not found/.exec(line)?.[1]
      if (lost !== undefined) throw new AppError(`${program} needs ${lost}, which this system does not have`)
    }
  }
  return [...found]
}
