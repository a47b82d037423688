import type { Clock } from '../gateway/contract/clock.ts'
import type { Random, SerialSettings } from '../gateway/contract/io.ts'
import { Babble } from './babble.ts'
import { FaultSlot, type InjectedFault, spoil } from './fault.ts'
import { LineCounters, type LineStatistics } from './line-statistics.ts'
import type { Meter } from './meter.ts'
import { characterMs, frameEndMs, quietMs, sameFraming } from './wire-time.ts'

/** A UART hands over what it received when its buffer is about this full (16550: 8 of 16). */
const PIECE_BYTES = 8
/** Rounding of times must not hold back a byte that is over. */
const TIME_ROUNDING_MS = 1e-6

export interface LineOptions {
  readonly clock: Clock
  readonly random: Random
  /** How the hub's end is set until it says otherwise, and how meters listen that name no settings of their own. */
  readonly settings: SerialSettings
  /** Where bytes go that reach the hub. */
  readonly deliver: (bytes: Uint8Array) => void
  readonly pieceBytes?: number
  /** Meters that drop a request which begins within 3.5 characters of an answer, as the specification lets them. */
  readonly strict?: boolean
  /** Whether a meter set like the first understands who is set like the second; left out, when they are alike. */
  readonly understands?: (meter: SerialSettings, asked: SerialSettings) => boolean
}

/** A request on the wire, and how the hub's end was set while it was. */
interface Span {
  readonly startMs: number
  readonly endMs: number
  readonly settings: SerialSettings
}

interface Hearing extends Span {
  readonly parts: Uint8Array[]
  endMs: number
  garbled: boolean
  cancel: () => void
}

interface Sending {
  readonly bytes: Uint8Array
  readonly startMs: number
  readonly characterMs: number
  readonly echo: boolean
  /** Called when the last byte is with the hub. @param lateMs how long after it was over on the wire */
  readonly done: ((lateMs: number) => void) | undefined
  sentBytes: number
  cancel: () => void
}

/**
 * A half-duplex wire with wire time. What the hub writes is on the wire for as long as its characters take; after
 * the silence that ends a frame every meter hears it; an answer begins after the meter's turnaround and reaches
 * the hub in pieces, each when its last character is over. Deadlines are absolute, so that lateness of a timer
 * never adds up. Who speaks while somebody else does garbles both.
 */
export class Line {
  readonly #options: LineOptions
  readonly #clock: Clock
  readonly #meters = new Map<string, Meter>()
  readonly #slots = new Map<string, FaultSlot>()
  readonly #lineSlot = new FaultSlot()
  readonly #busyUntilMs = new Map<string, number>()
  readonly #sendings = new Set<Sending>()
  readonly #counters = new LineCounters()
  readonly #pieceBytes: number
  readonly #babble: Babble
  #settings: SerialSettings
  #hearing: Hearing | undefined

  constructor(options: LineOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#settings = options.settings
    this.#pieceBytes = options.pieceBytes ?? PIECE_BYTES
    this.#babble = new Babble({
      clock: options.clock,
      random: options.random,
      pieceBytes: this.#pieceBytes,
      characterMs: () => characterMs(this.#settings),
      deliver: (bytes) => {
        this.#counters.bytesSent += bytes.length
        this.#counters.lastAnswerEndMs = this.#clock.monoMs()
        options.deliver(bytes)
      },
    })
  }

  get meters(): readonly Meter[] {
    return [...this.#meters.values()]
  }

  get settings(): SerialSettings {
    return this.#settings
  }

  attach(meter: Meter): void {
    if (this.#meters.has(meter.id)) throw new Error(`a meter ${meter.id} is on this line already`)
    this.#meters.set(meter.id, meter)
    this.#slots.set(meter.id, new FaultSlot())
  }

  detach(id: string): void {
    this.setFault(id, undefined)
    this.#meters.delete(id)
    this.#slots.delete(id)
  }

  /** When the last byte that the hub wrote is over. */
  get heardUntilMs(): number {
    return this.#hearing?.endMs ?? this.#clock.monoMs()
  }

  /** The hub's end is set to another speed or framing. */
  configure(settings: SerialSettings): void {
    if (!(settings.baud > 0)) throw new Error(`a line has a speed, not ${settings.baud} baud`)
    this.#settings = settings
  }

  /** @param meter its id; undefined: the whole line. @param fault undefined: well again. */
  setFault(meter: string | undefined, fault: InjectedFault | undefined): void {
    const slot = meter === undefined ? this.#lineSlot : this.#slots.get(meter)
    if (slot === undefined) throw new Error(`no meter ${meter} on this line; there are ${[...this.#meters.keys()]}`)
    slot.set(fault)
    this.#babbleAsNeeded()
  }

  faultOf(meter: string | undefined): InjectedFault | undefined {
    return (meter === undefined ? this.#lineSlot : this.#slots.get(meter))?.current
  }

  /** What the hub wrote, just now. */
  hear(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const nowMs = this.#clock.monoMs()
    const hearing = this.#hearing ?? this.#beginHearing(nowMs)
    const startMs = Math.max(nowMs, hearing.endMs)
    const charMs = characterMs(this.#settings)
    hearing.parts.push(Uint8Array.from(bytes))
    hearing.endMs = startMs + bytes.length * charMs
    this.#counters.bytesHeard += bytes.length
    if (this.#lineSlot.current?.kind === 'echo') this.#send(bytes, startMs, { echo: true })
    hearing.cancel()
    hearing.cancel = this.#clock.after(hearing.endMs + frameEndMs(this.#settings) - nowMs, () => this.#heard(hearing))
  }

  /** Bytes of somebody else on this wire, such as a second master: the hub hears them, and so do the meters. */
  inject(bytes: Uint8Array): void {
    const startMs = this.#clock.monoMs()
    const settings = this.#settings
    this.#send(bytes, startMs, {
      done: () => this.#askMeters(bytes, { startMs, endMs: this.#clock.monoMs(), settings }),
    })
  }

  /** What happened since the line was made, or since the last call with `reset`. */
  statistics(options: { readonly reset?: boolean } = {}): LineStatistics {
    const result = this.#counters.result()
    if (options.reset === true) this.#counters.reset()
    return result
  }

  /** Nothing comes from this line any more. */
  close(): void {
    this.#hearing?.cancel()
    this.#hearing = undefined
    for (const sending of this.#sendings) sending.cancel()
    this.#sendings.clear()
    this.#babble.stop()
  }

  #beginHearing(nowMs: number): Hearing {
    const gapMs = quietMs(this.#settings)
    const tooSoon = nowMs < this.#counters.lastAnswerEndMs + gapMs
    this.#counters.requests += 1
    if (tooSoon) this.#counters.gapViolations += 1
    if (this.#counters.firstRequestMs === undefined) this.#counters.firstRequestMs = nowMs
    const spokenOver = this.#others(undefined, nowMs)
    if (spokenOver) this.#counters.collisions += 1
    const garbled = spokenOver || (tooSoon && this.#options.strict === true)
    const span = { startMs: nowMs, endMs: nowMs, settings: this.#settings }
    const hearing: Hearing = { ...span, parts: [], garbled, cancel: () => undefined }
    this.#hearing = hearing
    return hearing
  }

  #heard(hearing: Hearing): void {
    this.#hearing = undefined
    if (hearing.garbled || this.#babble.on) return
    this.#askMeters(Buffer.concat(hearing.parts), hearing)
  }

  /** @param asked when the request was on the wire */
  #askMeters(request: Uint8Array, asked: Span): void {
    const understands = this.#options.understands ?? sameFraming
    for (const meter of this.#meters.values()) {
      if (meter.settings !== undefined && !understands(meter.settings, asked.settings)) continue
      const answer = meter.answer(request)
      if (answer !== undefined) this.#answer(meter, request, answer, asked)
    }
  }

  #answer(meter: Meter, request: Uint8Array, right: Uint8Array, asked: Span): void {
    const draw = (): number => this.#options.random.next()
    const fault = this.#slots.get(meter.id)?.take(draw) ?? this.#lineSlot.take(draw)
    if (fault?.kind === 'silence') return
    const bytes = spoil(meter, request, right, fault, this.#options.random)
    const lateMs = fault?.kind === 'late' ? fault.byMs : 0
    const busyMs = this.#busyUntilMs.get(meter.id) ?? Number.NEGATIVE_INFINITY
    const charMs = characterMs(this.#settings)
    const startMs = Math.max(asked.endMs + lateMs, busyMs) + meter.turnaroundMs
    const gapMs = quietMs(this.#settings)
    const idealMs = asked.endMs - asked.startMs + meter.turnaroundMs + bytes.length * charMs + gapMs
    this.#busyUntilMs.set(meter.id, startMs + bytes.length * charMs)
    const done = (lateMs: number): void => {
      this.#counters.answered(meter.id, asked.startMs, idealMs, gapMs, lateMs)
    }
    if (fault?.kind !== 'half') {
      this.#send(bytes, startMs, { done })
      return
    }
    const half = bytes.length >> 1
    this.#send(bytes.subarray(0, half), startMs, {})
    if (fault.restAfterMs === undefined) return
    this.#send(bytes.subarray(half), startMs + half * charMs + fault.restAfterMs, { done })
  }

  #send(bytes: Uint8Array, startMs: number, how: { readonly echo?: boolean; readonly done?: Sending['done'] }): void {
    const sending: Sending = {
      bytes,
      startMs,
      characterMs: characterMs(this.#settings),
      echo: how.echo === true,
      done: how.done,
      sentBytes: 0,
      cancel: () => undefined,
    }
    this.#sendings.add(sending)
    this.#armPiece(sending)
  }

  #armPiece(sending: Sending): void {
    const upTo = Math.min(sending.bytes.length, sending.sentBytes + this.#pieceBytes)
    const atMs = sending.startMs + upTo * sending.characterMs
    sending.cancel = this.#clock.after(atMs - this.#clock.monoMs(), () => this.#piece(sending))
  }

  /** Hand over every whole piece that is over by now: one, or more when the timer was late. */
  #piece(sending: Sending): void {
    const nowMs = this.#clock.monoMs()
    const overBytes = Math.floor((nowMs - sending.startMs + TIME_ROUNDING_MS) / sending.characterMs)
    const whole = overBytes >= sending.bytes.length ? sending.bytes.length : overBytes - (overBytes % this.#pieceBytes)
    if (whole > sending.sentBytes) {
      const piece = sending.bytes.subarray(sending.sentBytes, whole)
      const spokenOver = !sending.echo && this.#others(sending, nowMs)
      if (spokenOver && this.#hearing !== undefined) this.#hearing.garbled = true
      sending.sentBytes = whole
      this.#counters.bytesSent += piece.length
      // Before the bytes go: the hub may have them, and keep its silence, while this process is not running.
      if (!sending.echo) this.#counters.lastAnswerEndMs = nowMs
      this.#options.deliver(spokenOver ? this.#garble(piece) : piece)
    }
    if (sending.sentBytes < sending.bytes.length) {
      this.#armPiece(sending)
      return
    }
    this.#sendings.delete(sending)
    sending.done?.(Math.max(0, nowMs - sending.startMs - sending.bytes.length * sending.characterMs))
  }

  /** Whether somebody other than `sending` is on the wire now. */
  #others(sending: Sending | undefined, nowMs: number): boolean {
    if (this.#babble.on) return true
    const hearing = this.#hearing
    if (sending !== undefined && hearing !== undefined && hearing.startMs < nowMs && nowMs < hearing.endMs) return true
    for (const other of this.#sendings) {
      if (other !== sending && !other.echo && other.startMs < nowMs) return true
    }
    return false
  }

  #garble(bytes: Uint8Array): Uint8Array {
    return bytes.map((byte) => byte ^ (1 + Math.floor(this.#options.random.next() * 255)))
  }

  #babbleAsNeeded(): void {
    const babbling = [this.#lineSlot, ...this.#slots.values()].some((slot) => slot.current?.kind === 'babble')
    if (babbling) this.#babble.start()
    else this.#babble.stop()
  }
}
