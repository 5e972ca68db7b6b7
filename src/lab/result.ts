/** What a lab run tells: events while it runs, one result at its end (`lab run … --json`). */
import type { AcceleratorKind } from '../base/accelerator.ts'

export type Check = { readonly name: string; readonly result: 'pass' | 'fail'; readonly evidence: string }

export type Phase = { readonly name: string; readonly seconds: number }

/** Small reads from one disk, by the way they took. Emulated hardware: the shape, not the speed. */
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

/** What the story's stages share: it times phases, keeps checks and tells the listener. */
export class LabLog {
  readonly phases: Phase[] = []
  readonly checks: Check[] = []
  readonly measurements: Measurement[] = []
  readonly session: SessionPart[] = []
  readonly #tell: (event: LabEvent) => void
  readonly #now: () => number
  constructor(tell: (event: LabEvent) => void, now: () => number) {
    this.#tell = tell
    this.#now = now
  }

  tell(event: LabEvent): void {
    this.#tell(event)
  }

  async phase<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.#tell({ kind: 'phase', name })
    const begun = this.#now()
    try {
      return await work()
    } finally {
      const seconds = (this.#now() - begun) / 1000
      this.phases.push({ name, seconds })
      this.#tell({ kind: 'phase-end', name, seconds })
    }
  }

  check(name: string, isTrue: boolean, evidence: string): void {
    const check: Check = { name, result: isTrue ? 'pass' : 'fail', evidence }
    this.checks.push(check)
    this.#tell({ kind: 'check', check })
  }
}
