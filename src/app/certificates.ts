/**
 * Certificates: a dated record of what was seen inside a guest, one line of JSON for each VM, the newest
 * only.
 */
import { stateFolder } from '../base/own-folders.ts'
import type { System } from '../machine/system.ts'
import type { VmVerdict } from '../run/verify.ts'

const certificateFolder = `${stateFolder}/certificates`

export function writeCertificate(system: System, verdict: VmVerdict): void {
  system.makeFolder(certificateFolder, 0o700)
  const certificate = { schema: 1, at: system.now().toISOString(), ...verdict }
  system.writeFile(`${certificateFolder}/${verdict.vm}.json`, `${JSON.stringify(certificate)}\n`, {
    mode: 0o600,
  })
}
