/** A file that only handover writes, always as a whole. A rollback removes it. */
export type OwnFile = {
  readonly path: string
  readonly text: string
  readonly mode: number
  /** The step that writes it prepares a trial boot. */
  readonly purpose?: 'trial'
}

/** The first line of every such file, after the `#!` of a script. */
export const ownHeader = '# Written by handover. To undo: handover rollback.'

/** Recognises the files that any release of handover wrote. */
export function isOwnText(text: string): boolean {
  return text.startsWith('# Written by handover.')
}
