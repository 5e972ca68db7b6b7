/** What a lab run reports: events while it runs, and one result at its end (`lab run … --json`). */
import type { AcceleratorKind } from '../base/accelerator.ts'

export type Check = { readonly name: string; readonly result: 'pass' | 'fail'; readonly evidence: string }

export type Phase = { readonly name: string; readonly seconds: number }

/** Small reads from one disk over one way. The hardware is emulated: compare the ways, not machines. */
export type Measurement = {
  readonly way: 'bare host' | 'passed through' | 'virtio'
  readonly bytes: number
  readonly seconds: number
}

/** One command as a user would type it in the host, with what it printed. */
export type SessionPart = {
  readonly command: string
  readonly status: number
  readonly lines: readonly string[]
}

export type LabResult = {
  readonly schema: 1
  readonly topology: string
  readonly accelerator: AcceleratorKind
  readonly acceleratorWhy: string
  readonly guestAccelerator: AcceleratorKind | null
  readonly kernel: string
  readonly qemu: string
  readonly phases: readonly Phase[]
  readonly checks: readonly Check[]
  readonly measurements: readonly Measurement[]
  readonly session: readonly SessionPart[]
  readonly seconds: number
  readonly ok: boolean
}

export type LabEvent =
  | { readonly kind: 'phase'; readonly name: string }
  | { readonly kind: 'phase-end'; readonly name: string; readonly seconds: number }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'output'; readonly line: string }
  | { readonly kind: 'check'; readonly check: Check }

/** All stages of a story write to this log. It times phases, keeps checks and reports events. */
export class LabLog {
  readonly phases: Phase[] = []
  readonly checks: Check[] = []
  readonly measurements: Measurement[] = []
  readonly session: SessionPart[] = []
  readonly #report: (event: LabEvent) => void
  readonly #now: () => number
  constructor(report: (event: LabEvent) => void, now: () => number) {
    this.#report = report
    this.#now = now
  }

  report(event: LabEvent): void {
    this.#report(event)
  }

  async phase<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.#report({ kind: 'phase', name })
    const begun = this.#now()
    try {
      return await work()
    } finally {
      const seconds = (this.#now() - begun) / 1000
      this.phases.push({ name, seconds })
      this.#report({ kind: 'phase-end', name, seconds })
    }
  }

  check(name: string, isTrue: boolean, evidence: string): void {
    const check: Check = { name, result: isTrue ? 'pass' : 'fail', evidence }
    this.checks.push(check)
    this.#report({ kind: 'check', check })
  }
}
