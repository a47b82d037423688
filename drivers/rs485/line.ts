import type { Clock } from '../../gateway/contract/clock.ts'
import { Fault } from '../../gateway/contract/fault.ts'
import type { SerialSettings, SerialWire } from '../../gateway/contract/io.ts'
import { answerBytes, dataBytes, decodeRead, encodeRead, READ_FUNCTIONS, type ReadRequest } from './codec/pdu.ts'
import { ANSWER_BYTES_MIN, encodeFrame, FRAME_EXTRA_BYTES, findAnswer } from './codec/rtu.ts'
import { characterMs, gapMs } from './wire-time.ts'

/** The longest frame of Modbus (Modbus over Serial Line V1.02, 2.3). */
const FRAME_BYTES_MAX = 256
/** What may come before an answer is found: noise, echo, a stranger's frame. */
const HEARD_BYTES_MAX = 2048
/** A UART hands over what it received in pieces of up to so many bytes: less silence than that is none. */
const PIECE_BYTES_MAX = 16

export interface LineOptions {
  readonly settings: SerialSettings
  /** From the end of the request on the wire to the first byte of the answer, at most. */
  readonly timeoutMs: number
  /** How much later than its time-out an answer may still come. */
  readonly lateMs: number
}

/** What happened on the line since it was opened. */
export interface LineCounts {
  requests: number
  timeouts: number
  noiseBytes: number
  lateBytes: number
  echoes: number
  airtimeMs: number
}

export interface Answer {
  readonly values: readonly number[]
  /** When the answer was whole, on `Clock.monoMs`. */
  readonly monoMs: number
}

/**
 * One owner of one wire, one request at a time. A request goes out only on a quiet wire: 3.5 characters after the
 * last byte, and after a time-out only when the longest late answer is over. RTU answers carry no number of their
 * request, so an answer that comes too late would be taken for the next one's.
 */
export class Line {
  readonly counts: LineCounts = { requests: 0, timeouts: 0, noiseBytes: 0, lateBytes: 0, echoes: 0, airtimeMs: 0 }
  readonly #wire: SerialWire
  readonly #clock: Clock
  readonly #options: LineOptions
  readonly #signal: AbortSignal
  readonly #characterMs: number
  readonly #gapMs: number
  readonly #longestFrameMs: number
  #lastByteMs: number
  #busy = false

  constructor(wire: SerialWire, options: LineOptions, clock: Clock, signal: AbortSignal) {
    this.#wire = wire
    this.#clock = clock
    this.#options = options
    this.#signal = signal
    this.#characterMs = characterMs(options.settings)
    this.#gapMs = gapMs(options.settings)
    this.#longestFrameMs = FRAME_BYTES_MAX * this.#characterMs
    this.#lastByteMs = clock.monoMs()
  }

  /**
   * Ask one device and wait for its answer.
   * @throws Fault `device` when nothing came in time, `reply` when what came was not the answer, `point` or others
   * when the device refuses; `connection` when the wire is gone or jammed.
   */
  async read(unit: number, request: ReadRequest): Promise<Answer> {
    if (this.#busy) throw new Error('two requests at once on one line')
    this.#busy = true
    try {
      return await this.#exchange(unit, request)
    } finally {
      this.#busy = false
    }
  }

  async #exchange(unit: number, request: ReadRequest): Promise<Answer> {
    const frame = encodeFrame(unit, encodeRead(request))
    const fullBytes = answerBytes(request) + FRAME_EXTRA_BYTES
    await this.#untilQuiet()
    this.#wire.discard()
    const startMs = this.#clock.monoMs()
    await this.#wire.write(frame)
    this.counts.requests += 1
    const sentMs = startMs + frame.length * this.#characterMs
    const untilMs = sentMs + this.#options.timeoutMs + fullBytes * this.#characterMs
    // Nothing whole can be there before: sleep through the pieces, each would be a wake-up.
    await this.#sleepUntil(sentMs + fullBytes * this.#characterMs)
    const pdu = await this.#listen(unit, request, frame, untilMs)
    const endMs = this.#clock.monoMs()
    this.#lastByteMs = endMs
    this.counts.airtimeMs += endMs - startMs
    if (pdu === undefined) {
      this.counts.timeouts += 1
      await this.#drain()
      throw new Fault('device', `no answer from unit ${unit} within ${this.#options.timeoutMs} ms`, {
        code: 'timeout',
        hint: 'is it powered, are A and B the right way round, and are address and baud rate those of the meter?',
      })
    }
    return { values: decodeRead(request, pdu), monoMs: endMs }
  }

  /** The PDU of the answer, or undefined at `untilMs`. */
  async #listen(
    unit: number,
    request: ReadRequest,
    frame: Uint8Array,
    untilMs: number,
  ): Promise<Uint8Array | undefined> {
    const expected = {
      unit,
      function: READ_FUNCTIONS[request.table],
      pduBytes: answerBytes(request),
      byteCount: dataBytes(request.table, request.count),
    }
    let heard: Uint8Array = new Uint8Array(0)
    let missingBytes = ANSWER_BYTES_MIN
    while (this.#clock.monoMs() < untilMs) {
      const piece = await this.#wire.read(missingBytes, untilMs)
      this.#signal.throwIfAborted()
      if (piece.length === 0) continue
      this.#lastByteMs = this.#clock.monoMs()
      heard = joined(heard, piece)
      if (startsWith(heard, frame)) {
        this.counts.echoes += 1
        heard = heard.subarray(frame.length)
      }
      const search = findAnswer(heard, expected)
      if (search.found) {
        this.counts.noiseBytes += search.noiseBytes
        return search.pdu
      }
      missingBytes = search.missingBytes
      if (heard.length > HEARD_BYTES_MAX) break
    }
    this.counts.noiseBytes += heard.length
    return undefined
  }

  /** Hear out whatever is still to come, and forget it. */
  async #drain(): Promise<void> {
    const lateUntilMs = this.#clock.monoMs() + this.#options.lateMs
    let quietUntilMs = lateUntilMs
    while (this.#clock.monoMs() < quietUntilMs) {
      const piece = await this.#wire.read(1, quietUntilMs)
      this.#signal.throwIfAborted()
      if (piece.length === 0) continue
      this.counts.lateBytes += piece.length
      this.#lastByteMs = this.#clock.monoMs()
      // A late answer that has begun is over within the time of the longest frame.
      quietUntilMs = Math.min(lateUntilMs, this.#lastByteMs) + this.#longestFrameMs
      quietUntilMs = Math.max(quietUntilMs, lateUntilMs)
    }
    if (this.#clock.monoMs() - this.#lastByteMs < PIECE_BYTES_MAX * this.#characterMs) throw jammed()
    this.#wire.discard()
  }

  /** Wait for the silence that must stand before a request; what is heard meanwhile was not for us. */
  async #untilQuiet(): Promise<void> {
    const untilMs = this.#clock.monoMs() + 2 * this.#longestFrameMs
    for (;;) {
      await this.#sleepUntil(this.#lastByteMs + this.#gapMs)
      const piece = await this.#wire.read(0, this.#clock.monoMs())
      if (piece.length === 0) return
      this.counts.noiseBytes += piece.length
      this.#lastByteMs = this.#clock.monoMs()
      if (this.#lastByteMs > untilMs) throw jammed()
    }
  }

  /** Timers of an operating system may be early by a millisecond; the gap may not. */
  async #sleepUntil(monoMs: number): Promise<void> {
    for (;;) {
      const restMs = monoMs - this.#clock.monoMs()
      if (restMs <= 0) return
      await this.#clock.sleep(restMs, this.#signal)
    }
  }
}

function jammed(): Fault {
  return new Fault('connection', `somebody talks on the line without a pause`, {
    code: 'jammed',
    hint: 'unplug the devices one by one until it is quiet; a second master or a broken transceiver does this',
  })
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((byte, at) => bytes[at] === byte)
}
