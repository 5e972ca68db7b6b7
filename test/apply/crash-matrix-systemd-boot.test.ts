/** The crash matrix (test/support/crash-matrix.ts) of trials and confirmations on systemd-boot. */
import { confirmOf, trialOf } from '../support/boot-world.ts'
import { expectCrashMatrix } from '../support/crash-matrix.ts'
import { identityOf } from '../support/fake-kernel.ts'
import { nic } from '../support/transactions.ts'

const identities = [identityOf(nic)]

expectCrashMatrix({
  'prepares a trial on systemd-boot': trialOf('systemd-boot', identities),
  'confirms one on systemd-boot': confirmOf('systemd-boot', identities),
})
