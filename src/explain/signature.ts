/**
 * What a signature is: words by which a program reports a failure, what lies behind them, the command that
 * shows whether it is so on this host, and what helps. The tables beside this file hold them, one for each
 * program that speaks; catalogue.ts lists the tables.
 */
import type { Severity } from '../base/finding.ts'

export const emitters = ['kernel', 'qemu', 'libvirt', 'proxmox', 'guest', 'shell'] as const

/** Who writes the line. `guest`: the system inside a VM. `shell`: a program that somebody ran by hand. */
export type Emitter = (typeof emitters)[number]

export const certainties = ['seen', 'source', 'reported'] as const

/**
 * How the cause is known. `seen`: the failure was produced on purpose. `source`: the words and their cause
 * stand in the program's source. `reported`: people who met it say so.
 */
export type Certainty = (typeof certainties)[number]

/**
 * `{device}`, `{group}` and other names in braces, in `proof` and `remedy`, stand for what the line names
 * (fill.ts).
 */
export type Signature = {
  readonly id: string
  readonly severity: Severity
  /**
   * Matched against one line. Repetitions have an upper limit, so that a hostile line costs no more than a
   * long one. The named group `device` is a PCI address; without it the first whole address of the line
   * counts.
   */
  readonly pattern: RegExp
  readonly cause: string
  /** Reads only. */
  readonly proof: string
  /** The safest first. */
  readonly remedy: readonly [string, ...string[]]
  /** The file that writes the line, mostly with its function; or who reports it. */
  readonly source: string
  readonly certainty: Certainty
}
