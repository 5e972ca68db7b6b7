import { AppError } from '../base/errors.ts'

/** Another program changed the object of a step before the step did. The step leaves the object as it is. */
export class ChangedMeanwhile extends AppError {
  constructor(difference: string) {
    super(`${difference}\nthis changed during the apply or rollback and was left as it is`, {
      help: 'look at the change, then plan again: handover plan',
    })
  }
}
