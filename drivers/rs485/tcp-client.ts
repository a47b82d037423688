import type { Clock } from '../../gateway/contract/clock.ts'
import { Fault } from '../../gateway/contract/fault.ts'
import type { Wire } from '../../gateway/contract/io.ts'
import { encodeTcpFrame, type TcpFrame, takeTcpFrame } from './codec/mbap.ts'
import { decodeRead, encodeRead, type ReadRequest } from './codec/pdu.ts'
import type { Answer } from './line.ts'

const TRANSACTIONS = 0x10000

interface Waiting {
  readonly unit: number
  readonly settle: (pdu: Uint8Array | undefined) => void
}

/** Several requests in flight on one connection, each known by its transaction number. */
export class ModbusTcpClient {
  readonly counts = { requests: 0, timeouts: 0, strangers: 0 }
  readonly #wire: Wire
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #waiting = new Map<number, Waiting>()
  #transaction = 0

  constructor(wire: Wire, timeoutMs: number, clock: Clock) {
    this.#wire = wire
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** Hand each answer to its request, until the connection is gone; rejects with the Fault that ended it. */
  async listen(): Promise<never> {
    let heard: Uint8Array = new Uint8Array(0)
    for (;;) {
      const piece = await this.#wire.read(1, Number.POSITIVE_INFINITY)
      heard = heard.length === 0 ? piece : Buffer.concat([heard, piece])
      for (let taken = takeTcpFrame(heard); taken !== undefined; taken = takeTcpFrame(heard)) {
        heard = heard.subarray(taken.bytes)
        this.#take(taken.frame)
      }
    }
  }

  /** @throws Fault `device` when nothing came in time, `reply` or `point` as the answer says, `connection` when the host is gone. */
  async read(unit: number, request: ReadRequest): Promise<Answer> {
    const transaction = this.#transaction
    this.#transaction = (transaction + 1) % TRANSACTIONS
    const answer = new Promise<Uint8Array | undefined>((settle) => this.#waiting.set(transaction, { unit, settle }))
    const cancel = this.#clock.after(this.#timeoutMs, () => this.#waiting.get(transaction)?.settle(undefined))
    try {
      this.counts.requests += 1
      await this.#wire.write(encodeTcpFrame({ transaction, unit, pdu: encodeRead(request) }))
      const pdu = await answer
      if (pdu === undefined) throw this.#silent(unit)
      return { values: decodeRead(request, pdu), monoMs: this.#clock.monoMs() }
    } finally {
      cancel()
      this.#waiting.delete(transaction)
    }
  }

  #take({ transaction, unit, pdu }: TcpFrame): void {
    const waiting = this.#waiting.get(transaction)
    // An answer that nobody waits for any more, or of a unit that was not asked, is nobody's value.
    if (waiting === undefined || waiting.unit !== unit) this.counts.strangers += 1
    else waiting.settle(pdu)
  }

  #silent(unit: number): Fault {
    this.counts.timeouts += 1
    return new Fault('device', `no answer from unit ${unit} within ${this.#timeoutMs} ms`, {
      code: 'timeout',
      hint: 'the host is there: is the unit number right, and is the device behind it powered?',
    })
  }
}
