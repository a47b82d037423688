import type { Clock } from '../../gateway/contract/clock.ts'
import { Fault } from '../../gateway/contract/fault.ts'
import type { Wire } from '../../gateway/contract/io.ts'
import { type MbapFrame, mbapFrame, mbapFrames, TRANSACTIONS } from './codec/mbap.ts'
import { type PduRequest, readAnswer } from './codec/pdu.ts'
import type { ModbusHeard } from './modbus/modbus-meter.ts'

/** A connection on which nothing was heard for so long since something was asked is dead. */
const DEAD_AFTER_MS = 10_000

export interface TcpHostOptions {
  readonly wire: Wire
  readonly clock: Clock
  /** From the request to its answer. */
  readonly timeoutMs: number
  /** How many requests are on their way at the most; of one unit never more than one. */
  readonly inFlightMax: number
}

/** What happened on the connection since it was made. */
export interface TcpAccount {
  requests: number
  answers: number
  timeouts: number
  /** Answers to a request that had timed out, thrown away. */
  lateAnswers: number
  /** Answers whose unit, function or length was not that of the request. */
  malformed: number
}

interface Job {
  readonly unit: number
  readonly request: PduRequest
  attempts: number
  deadlineMs: number
  readonly resolve: (heard: ModbusHeard) => void
  readonly reject: (error: unknown) => void
}

/**
 * One connection to a Modbus TCP host: several requests on their way, each known by its transaction
 * (MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 4.4.2.2), one of a unit at a time, because what stands
 * behind a gateway is a line.
 */
export class TcpHost {
  readonly account: TcpAccount = { requests: 0, answers: 0, timeouts: 0, lateAnswers: 0, malformed: 0 }
  readonly #options: TcpHostOptions
  readonly #clock: Clock
  readonly #waiting: Job[] = []
  /** By transaction, oldest first: all have the same time to be answered. */
  readonly #pending = new Map<number, Job>()
  readonly #busyUnits = new Set<number>()
  #transaction = 0
  #outbox: Uint8Array[] = []
  #cancelTimer: (() => void) | undefined
  #heardMs: number
  /** When the first question was asked since something was heard. */
  #unheardSinceMs: number | undefined
  #gone: unknown

  constructor(options: TcpHostOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#heardMs = options.clock.monoMs()
  }

  /**
   * Ask a unit, and wait for the answer.
   * @throws Fault of reach `device` when none came in all attempts, of reach `connection` when the wire is gone
   */
  ask(unit: number, request: PduRequest, how: { attempts: number; urgent?: boolean }): Promise<ModbusHeard> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone)
    return new Promise((resolve, reject) => {
      const job: Job = { unit, request, attempts: how.attempts, deadlineMs: 0, resolve, reject }
      if (how.urgent === true) this.#waiting.unshift(job)
      else this.#waiting.push(job)
      this.#send()
    })
  }

  /** Hear what comes, as long as the wire stands. @throws Fault of reach `connection` when it is gone */
  async hear(): Promise<never> {
    let rest: Uint8Array = new Uint8Array(0)
    try {
      for (;;) {
        const bytes = await this.#options.wire.read(1, Number.POSITIVE_INFINITY)
        const { frames, rest: left, lost } = mbapFrames(rest.length === 0 ? bytes : Buffer.concat([rest, bytes]))
        rest = left
        this.#heardMs = this.#clock.monoMs()
        this.#unheardSinceMs = undefined
        for (const frame of frames) this.#heard(frame)
        if (lost !== undefined) throw new Fault('connection', `this is no Modbus TCP: ${lost}`, { code: 'protocol' })
        this.#send()
      }
    } catch (error) {
      this.#end(error)
      // Where we gave it up ourselves, that is the reason, and not that it is closed.
      throw this.#gone
    }
  }

  #send(): void {
    for (let at = 0; at < this.#waiting.length && this.#pending.size < this.#options.inFlightMax; ) {
      const job = this.#waiting[at]!
      if (this.#busyUnits.has(job.unit)) {
        at += 1
        continue
      }
      this.#waiting.splice(at, 1)
      this.#begin(job)
    }
  }

  #begin(job: Job): void {
    do this.#transaction = (this.#transaction + 1) % TRANSACTIONS
    while (this.#pending.has(this.#transaction))
    const { timeoutMs } = this.#options
    job.deadlineMs = this.#clock.monoMs() + timeoutMs
    this.#unheardSinceMs ??= this.#clock.monoMs()
    this.#pending.set(this.#transaction, job)
    this.#busyUnits.add(job.unit)
    this.account.requests += 1
    this.#outbox.push(mbapFrame(this.#transaction, job.unit, job.request.pdu))
    // What is asked in one go leaves in one packet.
    if (this.#outbox.length === 1) queueMicrotask(() => this.#flush())
    this.#cancelTimer ??= this.#clock.after(timeoutMs, () => this.#expire())
  }

  #flush(): void {
    const bytes = this.#outbox.length === 1 ? this.#outbox[0]! : Buffer.concat(this.#outbox)
    this.#outbox = []
    this.#options.wire.write(bytes).catch((error: unknown) => this.#end(error))
  }

  #heard({ transaction, unit, pdu }: MbapFrame): void {
    const job = this.#pending.get(transaction)
    if (job === undefined) {
      this.account.lateAnswers += 1
      return
    }
    const answer = unit === job.unit ? readAnswer(job.request, pdu) : undefined
    if (answer === undefined) {
      // It answers another question: the right answer may still come, and this one is nobody's value.
      this.account.malformed += 1
      return
    }
    this.#finish(transaction, job)
    this.account.answers += 1
    job.resolve({ answer, monoMs: this.#heardMs })
  }

  #finish(transaction: number, job: Job): void {
    this.#pending.delete(transaction)
    this.#busyUnits.delete(job.unit)
  }

  /** Runs once for each time-out's length, not for each request: most are answered long before. */
  #expire(): void {
    this.#cancelTimer = undefined
    const nowMs = this.#clock.monoMs()
    const { timeoutMs } = this.#options
    for (const [transaction, job] of this.#pending) {
      if (job.deadlineMs > nowMs) {
        this.#cancelTimer = this.#clock.after(Math.ceil(job.deadlineMs - nowMs), () => this.#expire())
        break
      }
      this.#finish(transaction, job)
      this.account.timeouts += 1
      job.attempts -= 1
      if (job.attempts > 0) this.#waiting.unshift(job)
      else job.reject(this.#unanswered(job.unit))
    }
    const unheardMs = nowMs - (this.#unheardSinceMs ?? nowMs)
    if (unheardMs >= Math.max(DEAD_AFTER_MS, 3 * timeoutMs)) this.#end(mute(unheardMs))
    else this.#send()
  }

  #unanswered(unit: number): Fault {
    return new Fault('device', `no answer within ${this.#options.timeoutMs} ms from unit ${unit}`, {
      code: 'timeout',
      hint: 'is this the right unit? Many gateways say nothing for a device that is away',
    })
  }

  /** Everything that waits fails with the connection. */
  #end(error: unknown): void {
    if (this.#gone !== undefined) return
    this.#gone = error
    this.#cancelTimer?.()
    for (const job of [...this.#pending.values(), ...this.#waiting]) job.reject(error)
    this.#pending.clear()
    this.#waiting.length = 0
    this.#busyUnits.clear()
    void this.#options.wire.close()
  }
}

function mute(forMs: number): Fault {
  return new Fault('connection', `the host says nothing any more, for ${Math.round(forMs)} ms`, {
    code: 'mute',
    hint: 'the connection stands, but no answer comes: it is made anew',
  })
}
