import { AppError } from '../base/errors.ts'

/** Somebody else changed the object of a step before the step did: it is left as it is. */
export class ChangedMeanwhile extends AppError {
  constructor(difference: string) {
    super(`${difference}\nthis came while it was under way, and is left as it is`, {
      help: 'look at it, then plan again: handover plan',
    })
  }
}
