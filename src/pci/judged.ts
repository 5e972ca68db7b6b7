/** Answers about hardware of which the input does not say everything. */

/** An answer, and whether anything the input does not say could turn it. */
export type Judged = { readonly value: boolean; readonly sure: boolean }

export const yes: Judged = { value: true, sure: true }
export const no: Judged = { value: false, sure: true }
export const probablyYes: Judged = { value: true, sure: false }
export const probablyNo: Judged = { value: false, sure: false }
