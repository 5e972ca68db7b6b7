/**
 * Makes QEMU's translator forget the guest's code. QEMU keeps translated code through a reset, and firmware
 * does not clear memory. Where the firmware writes repeatedly into a page with translated code, QEMU 7.2
 * searches all code of that page at every write (`page_collection_lock`, accel/tcg). The firmware's timer then
 * fires faster than its handler runs, and nothing else makes progress. No QMP command drops the code.
 * QEMU's gdbstub drops it whenever the machine halts for a debugger (`gdb_vm_state_change`, `tb_flush`), as
 * after a single step.
 */
import { AppError } from '../base/errors.ts'
import type { Connection } from '../machine/system.ts'

/**
 * Sends GDB's remote protocol to QEMU: one single step, which halts the machine and drops the code, then
 * continue. It sends nothing while the machine runs, not even an acknowledgement: every byte would halt it.
 */
export async function forgetTranslatedCode(connection: Connection, timeoutSeconds = 30): Promise<void> {
  const replies = new Replies(connection, timeoutSeconds)
  try {
    // Connecting halts the machine. QEMU reports that as T02 or not at all, and answers the step with T05
    // (SIGTRAP).
    connection.write(packet('?'))
    await replies.until((text) => text.startsWith('T05'))
    connection.write('+')
    connection.write(packet('s'))
    await replies.until((text) => text.startsWith('T05'))
    connection.write('+')
    connection.write(packet('D'))
    await replies.until((text) => text === 'OK')
  } finally {
    replies.stop()
    connection.close()
  }
}

/** `$TEXT#SUM`: the sum of the bytes, modulo 256, as two hexadecimal digits (GDB manual, appendix E). */
function packet(text: string): string {
  const sum = Buffer.from(text, 'latin1').reduce((total, byte) => (total + byte) & 0xff, 0)
  return `$${text}#${sum.toString(16).padStart(2, '0')}`
}

/** What came in, packet by packet. */
class Replies {
  readonly #timer: NodeJS.Timeout
  readonly #over: Promise<never>
  #rest = ''
  #hear: (text: string) => void = () => undefined
  constructor(connection: Connection, timeoutSeconds: number) {
    let fail: (error: Error) => void = () => undefined
    this.#over = new Promise((_, reject) => (fail = reject))
    this.#over.catch(() => undefined)
    this.#timer = setTimeout(() => {
      fail(new AppError(`QEMU's gdbstub did not answer within ${timeoutSeconds} s`))
    }, timeoutSeconds * 1000)
    connection.onClose(() => fail(new AppError("QEMU closed its gdbstub's socket")))
    connection.onText((text) => {
      this.#rest = `${this.#rest}${text}`.slice(-65_536)
      for (
        let found = /\$([^#]*)#[0-9a-f]{2}/.exec(this.#rest);
        found;
        found = /\$([^#]*)#[0-9a-f]{2}/.exec(this.#rest)
      ) {
        this.#rest = this.#rest.slice(found.index + found[0].length)
        this.#hear(found[1] ?? '')
      }
    })
  }

  until(isIt: (text: string) => boolean): Promise<void> {
    const heard = new Promise<void>((done) => {
      this.#hear = (text) => {
        if (isIt(text)) done()
      }
    })
    return Promise.race([heard, this.#over])
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
