import type { Seen } from './codec/question.ts'

/** So many exchanges are kept, whatever became of them, and so many of their bytes. */
const RECENT_MAX = 256
const RECENT_BYTES_MAX = 64 * 1024
/** So many incidents are kept, and so many bytes of the exchanges in them. */
const INCIDENTS_MAX = 32
const INCIDENTS_BYTES_MAX = 128 * 1024
/** Exchanges that stand in an incident before and after the one that it is about. */
const BEFORE = 6
const AFTER = 3
/** Of what came in one exchange so much is kept: more is a device that babbles, and the rest looks alike. */
const HEARD_BYTES_MAX = 1024
const PIECES_MAX = 64

/** How an exchange ended; `asked`: it has not, or the wire went away under it. `late`: the answer came after its time. */
export type Ending = 'asked' | 'answered' | 'late' | Seen

/** Bytes as they were handed over, and when. */
export interface Piece {
  /** On `Clock.monoMs`, which has microseconds. */
  readonly monoMs: number
  readonly bytes: Uint8Array
}

/** One question on the line and what was heard until the next one; without a device it is what nobody asked for. */
export interface Exchange {
  readonly device: string
  readonly sentMs: number
  /** What went out. */
  readonly frame: Uint8Array
  readonly pieces: Piece[]
  heardBytes: number
  /** Heard and not kept. */
  droppedBytes: number
  ending: Ending
}

/** A fault, with what was on the line around it. The same of one device again and again is one incident. */
export interface Incident {
  readonly number: number
  /** How the exchange ended, or the code of a fault of the whole line, such as `jammed`. */
  readonly kind: string
  /** Empty where it is the line's. */
  readonly device: string
  readonly monoMs: number
  /** How often until now without anything better in between, and when last. */
  times: number
  lastMs: number
  readonly exchanges: Exchange[]
  /** Which of them it is about; the end of the list where the line itself failed behind the last one. */
  readonly at: number
}

/**
 * What was on one line lately, and around each fault. It holds what the line has made anyway, and nothing is put into
 * words before somebody looks, because this runs with every question.
 */
export class FlightRecorder {
  /** Incidents that gave way to later ones. */
  forgotten = 0
  readonly #recent: Exchange[] = []
  #recentBytes = 0
  readonly #incidents: Incident[] = []
  #incidentBytes = 0
  #count = 0
  /** The incident that goes on, by device. */
  readonly #open = new Map<string, Incident>()
  /** The incident that still takes what comes after it. */
  readonly #taking = new Map<Incident, number>()
  /** What is under way, and what nobody asked for: they are over when the next one begins. */
  #asking: Exchange | undefined
  #stray: Exchange | undefined
  readonly #followers = new Set<(exchange: Exchange) => void>()

  /** Oldest first. */
  get incidents(): readonly Incident[] {
    return this.#incidents
  }

  /** Oldest first. */
  get recent(): readonly Exchange[] {
    return this.#stray === undefined ? this.#recent : [...this.#recent, this.#stray]
  }

  /** A question goes out. */
  begin(device: string, frame: Uint8Array, sentMs: number): Exchange {
    this.#endStray()
    this.#asking = exchangeOf(device, frame, sentMs)
    return this.#asking
  }

  /** Bytes came while it was listened for the answer. */
  heard(exchange: Exchange, bytes: Uint8Array, monoMs: number): void {
    const room = HEARD_BYTES_MAX - exchange.heardBytes
    if (room <= 0 || exchange.pieces.length >= PIECES_MAX) {
      exchange.droppedBytes += bytes.length
      return
    }
    const kept = bytes.length <= room ? bytes : bytes.subarray(0, room)
    exchange.droppedBytes += bytes.length - kept.length
    exchange.heardBytes += kept.length
    exchange.pieces.push({ monoMs, bytes: own(kept) })
  }

  /** Bytes came that nobody had asked for. */
  stray(bytes: Uint8Array, monoMs: number): void {
    this.#stray ??= exchangeOf('', NOTHING, monoMs)
    this.heard(this.#stray, bytes, monoMs)
  }

  end(exchange: Exchange, ending: Ending, monoMs: number): void {
    exchange.ending = ending
    this.#asking = undefined
    this.#push(exchange)
    const { device } = exchange
    if (ending !== 'answered') this.#fault(ending, device, monoMs, exchange)
    else if (this.#open.size > 0) {
      this.#open.delete(device)
      this.#open.delete('')
    }
  }

  /** The line itself failed. @param code of the fault, such as `jammed` */
  broken(code: string, monoMs: number): void {
    if (this.#asking !== undefined) this.#push(this.#asking)
    this.#asking = undefined
    this.#endStray()
    this.#fault(code, '', monoMs, undefined)
  }

  /** Hear of each exchange when it is over. @returns what ends that */
  follow(follower: (exchange: Exchange) => void): () => void {
    this.#followers.add(follower)
    return () => void this.#followers.delete(follower)
  }

  #endStray(): void {
    const stray = this.#stray
    this.#stray = undefined
    if (stray !== undefined) this.#push(stray)
  }

  #push(exchange: Exchange): void {
    this.#recent.push(exchange)
    this.#recentBytes += bytesOf(exchange)
    while (this.#recent.length > RECENT_MAX || this.#recentBytes > RECENT_BYTES_MAX) {
      this.#recentBytes -= bytesOf(this.#recent.shift()!)
    }
    for (const [incident, left] of this.#taking) {
      incident.exchanges.push(exchange)
      this.#incidentBytes += bytesOf(exchange)
      if (left > 1) this.#taking.set(incident, left - 1)
      else this.#taking.delete(incident)
      this.#forget()
    }
    for (const follower of this.#followers) follower(exchange)
  }

  #fault(kind: string, device: string, monoMs: number, about: Exchange | undefined): void {
    const going = this.#open.get(device)
    if (going?.kind === kind) {
      going.times += 1
      going.lastMs = monoMs
      return
    }
    const exchanges = this.#recent.slice(-(BEFORE + (about === undefined ? 0 : 1)))
    const at = exchanges.length - (about === undefined ? 0 : 1)
    this.#count += 1
    const incident = { number: this.#count, kind, device, monoMs, times: 1, lastMs: monoMs, exchanges, at }
    this.#open.set(device, incident)
    this.#taking.set(incident, AFTER)
    this.#incidents.push(incident)
    this.#incidentBytes += bytesIn(exchanges)
    this.#forget()
  }

  /** What is oldest gives way. */
  #forget(): void {
    while (this.#incidents.length > INCIDENTS_MAX || this.#incidentBytes > INCIDENTS_BYTES_MAX) {
      const oldest = this.#incidents.shift()!
      this.#incidentBytes -= bytesIn(oldest.exchanges)
      this.#taking.delete(oldest)
      if (this.#open.get(oldest.device) === oldest) this.#open.delete(oldest.device)
      this.forgotten += 1
    }
  }
}

const NOTHING = new Uint8Array(0)

function exchangeOf(device: string, frame: Uint8Array, sentMs: number): Exchange {
  return { device, sentMs, frame, pieces: [], heardBytes: 0, droppedBytes: 0, ending: 'asked' }
}

/** A view into a pool would keep the whole pool alive. */
function own(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength === bytes.length ? bytes : Uint8Array.from(bytes)
}

function bytesOf({ frame, heardBytes }: Exchange): number {
  return frame.length + heardBytes
}

function bytesIn(exchanges: readonly Exchange[]): number {
  return exchanges.reduce((sum, exchange) => sum + bytesOf(exchange), 0)
}
