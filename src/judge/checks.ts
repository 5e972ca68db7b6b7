/**
 * The checks, in the order in which they decide (what can never work first, what is only inconvenient last).
 * Adding one is a file in checks/ and a line here.
 */
import type { Check } from './check.ts'
import { checkAcsOverride } from './checks/acs-override.ts'
import { checkAnswers } from './checks/answers.ts'
import { checkBehindVmd } from './checks/behind-vmd.ts'
import { checkDenied } from './checks/denied.ts'
import { checkEndpoint } from './checks/endpoint.ts'
import { checkIdentical } from './checks/identical.ts'
import { checkInterruptRemapping } from './checks/interrupt-remapping.ts'
import { checkIommu } from './checks/iommu.ts'
import { checkIsolation } from './checks/isolation.ts'
import { checkKnownNeeds } from './checks/known-needs.ts'
import { checkLostNeeds } from './checks/lost-needs.ts'
import { checkNeeds } from './checks/needs.ts'
import { checkOneMachine } from './checks/one-machine.ts'
import { checkRefusedBefore } from './checks/refused-before.ts'
import { checkReservedRegions } from './checks/reserved-regions.ts'
import { checkReset } from './checks/reset.ts'
import { checkSriov } from './checks/sriov.ts'

export const checks: readonly Check[] = [
  checkOneMachine,
  checkAnswers,
  checkEndpoint,
  checkBehindVmd,
  checkIommu,
  checkInterruptRemapping,
  checkReservedRegions,
  checkRefusedBefore,
  checkNeeds,
  checkLostNeeds,
  checkKnownNeeds,
  checkIsolation,
  checkAcsOverride,
  checkSriov,
  checkDenied,
  checkReset,
  checkIdentical,
]
