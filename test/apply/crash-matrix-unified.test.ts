/** The crash matrix (test/support/crash-matrix.ts) of trials and confirmations of unified kernel images. */
import { confirmOf, trialOf } from '../support/boot-world.ts'
import { expectCrashMatrix } from '../support/crash-matrix.ts'
import { identityOf } from '../support/fake-kernel.ts'
import { nic } from '../support/transactions.ts'

const identities = [identityOf(nic)]

expectCrashMatrix({
  'prepares a trial of a unified kernel image': trialOf('unified', identities),
  'confirms one of a unified kernel image': confirmOf('unified', identities),
})
