/** The crash matrix (test/support/crash-matrix.ts) of trials and confirmations on a GRUB with entries. */
import { confirmOf, trialOf } from '../support/boot-world.ts'
import { expectCrashMatrix } from '../support/crash-matrix.ts'
import { identityOf } from '../support/fake-kernel.ts'
import { nic } from '../support/transactions.ts'

const identities = [identityOf(nic)]

expectCrashMatrix({
  'prepares a trial on a GRUB with entries': trialOf('grub', identities),
  'confirms one on a GRUB with entries': confirmOf('grub', identities),
})
