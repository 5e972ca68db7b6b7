/** A file that is ours alone: written whole, and gone again after a rollback. */
export type OwnFile = {
  readonly path: string
  readonly text: string
  readonly mode: number
  /** The step that writes it prepares a trial boot. */
  readonly purpose?: 'trial'
}

/** First line of every such file, behind the `#!` of a script: who wrote it, and the way back. */
export const ownHeader = '# Written by handover. To undo: handover rollback.'

/** Its beginning tells our files from others', whatever release wrote them. */
export function isOwnText(text: string): boolean {
  return text.startsWith('# Written by handover.')
}
