import type { Clock } from '../../gateway/contract/clock.ts'
import type { SerialSettings, SerialWire, Wire } from '../../gateway/contract/io.ts'
import type { Question, Seen } from './codec/question.ts'
import type { Exchange, FlightRecorder } from './flight-recorder.ts'
import { fixedSpeed, jammed, unanswered } from './line-faults.ts'
import { Listening } from './listening.ts'
import type { Terms } from './terms.ts'
import { characterMs, gapMs } from './timing.ts'

/** An answer is normally over by this time after its wire time; a shorter one (an exception) is noticed then. */
const LOOK_AFTER_MS = 60
/** After bytes that are no answer the wire is looked at no oftener than this: noise must not cost a processor. */
const PATIENCE_MS = 10
/** A wire that is not quiet for so long is jammed. */
const JAMMED_AFTER_MS = 2000
/** After a time-out: USB adapters hand over what came up to 16 ms later. */
const CALM_MS = 20

export interface LineOptions extends Terms {
  /** Set as `serial` says. One that can't be configured has the same settings for everybody. */
  readonly wire: Wire & Partial<Pick<SerialWire, 'configure'>>
  readonly clock: Clock
  /** Gets everything that goes over the wire. */
  readonly recorder?: FlightRecorder
}

export interface Heard {
  /** What the answer's frame carries. */
  readonly payload: Uint8Array
  /** When it was there, on `Clock.monoMs`. */
  readonly monoMs: number
}

export interface AskHow {
  /** How often it is sent at the most. */
  readonly attempts: number
  /** Goes before everything that is not urgent: a command. */
  readonly urgent?: boolean
  /** Who is asked, for the account. */
  readonly device?: string
  /** How this device is spoken to; as the line is set up when left out. */
  readonly terms?: Terms
}

/** What happened on the line since it was opened. */
export interface LineAccount {
  requests: number
  answers: number
  timeouts: number
  /** Frames with a wrong check. */
  crcErrors: number
  /** Answers of other devices, or of another master's. */
  foreign: number
  /** Time-outs in which something came that was no frame. */
  noise: number
  /** Answers that came after their time-out and were thrown away. */
  lateAnswers: number
  /** Bytes that came when nobody was asked. */
  strayBytes: number
  /** Answers behind an echo of our own request. */
  echoes: number
  /** How long the line was in use, silences included. */
  airtimeMs: number
}

/** What one device took of the line since it was opened. */
export interface DeviceAccount {
  requests: number
  answers: number
  airtimeMs: number
}

interface Job {
  readonly question: Question
  readonly device: string
  readonly terms: Terms
  attempts: number
  readonly resolve: (heard: Heard) => void
  readonly reject: (error: unknown) => void
}

/** What is listened for. */
interface Listen {
  readonly listening: Listening
  readonly exchange: Exchange | undefined
  /** When an answer that is shorter than the expected one is looked for. */
  readonly lookMs: number
  readonly untilMs: number
}

/**
 * The one owner of one half-duplex wire: one request at a time, the urgent ones first, a silence before each, and
 * after a time-out a silence until no late answer can come any more, because nothing in an answer says which
 * request it belongs to.
 */
export class Line {
  readonly account: LineAccount = {
    requests: 0,
    answers: 0,
    timeouts: 0,
    crcErrors: 0,
    foreign: 0,
    noise: 0,
    lateAnswers: 0,
    strayBytes: 0,
    echoes: 0,
    airtimeMs: 0,
  }
  readonly openedMs: number
  readonly #devices = new Map<string, DeviceAccount>()
  readonly #recorder: FlightRecorder | undefined
  readonly #wire: LineOptions['wire']
  readonly #clock: Clock
  readonly #terms: Terms
  /** How the wire is set now, and what follows from that. */
  #serial: SerialSettings
  #characterMs: number
  #gapMs: number
  readonly #urgent: Job[] = []
  readonly #ordinary: Job[] = []
  #serving = false
  /** When the wire last carried something, ours or not. */
  #heardMs: number
  /** Whether our own bytes come back; undefined until something was sent. */
  #echo: boolean | undefined

  constructor(options: LineOptions) {
    this.#terms = options
    this.#wire = options.wire
    this.#clock = options.clock
    this.#serial = options.serial
    this.#characterMs = characterMs(options.serial)
    this.#gapMs = gapMs(options.serial)
    // Nobody knows what was on the wire before it was ours.
    this.#heardMs = options.clock.monoMs()
    this.openedMs = this.#heardMs
    this.#recorder = options.recorder
  }

  /** By the names that were given to `ask`. */
  get devices(): ReadonlyMap<string, Readonly<DeviceAccount>> {
    return this.#devices
  }

  /**
   * Ask, and wait for the answer.
   * @throws Fault of reach `device` when none came in all attempts, of reach `connection` when the wire is gone
   */
  ask(question: Question, { attempts, urgent, device = '', terms = this.#terms }: AskHow): Promise<Heard> {
    return new Promise((resolve, reject) => {
      const queue = urgent === true ? this.#urgent : this.#ordinary
      queue.push({ question, device, terms, attempts, resolve, reject })
      if (!this.#serving) void this.#serve()
    })
  }

  /** Serve what waits, until nothing does. */
  async #serve(): Promise<void> {
    this.#serving = true
    for (;;) {
      const queue = this.#urgent.length > 0 ? this.#urgent : this.#ordinary
      const job = queue.shift()
      if (job === undefined) break
      try {
        const result = await this.#exchange(job)
        job.attempts -= 1
        if (typeof result === 'object') job.resolve(result)
        else if (job.attempts > 0) queue.unshift(job)
        else job.reject(unanswered(result, job.terms))
      } catch (error) {
        job.reject(error)
      }
    }
    this.#serving = false
  }

  /** Send a request once. @returns its answer, or what came in its place */
  async #exchange({ question, device, terms }: Job): Promise<Heard | Seen> {
    await this.#tune(terms.serial)
    await this.#quiet(this.#gapMs)
    const { frame } = question
    const sentMs = this.#clock.monoMs()
    this.account.requests += 1
    const exchange = this.#recorder?.begin(device, frame, sentMs)
    await this.#wire.write(frame)
    const sentEndMs = sentMs + frame.length * this.#characterMs
    this.#heardMs = sentEndMs
    const listening = new Listening(question, this.#echo)
    const answerMs = listening.wantedBytes * this.#characterMs
    const untilMs = sentEndMs + answerMs + terms.timeoutMs
    const lookMs = Math.min(untilMs, sentEndMs + answerMs + LOOK_AFTER_MS)
    const heard = await this.#listen({ listening, exchange, lookMs, untilMs })
    this.#learnEcho(listening)
    // What comes from now on belongs to nobody, and says nothing about this time-out.
    const { seen } = listening
    let late = false
    if (heard === undefined) {
      this.#count(seen)
      late = await this.#outwait({ listening, exchange, lookMs, untilMs: untilMs + terms.lateMs })
    } else this.account.answers += 1
    const endMs = this.#clock.monoMs()
    if (exchange !== undefined) {
      this.#recorder!.end(exchange, heard !== undefined ? 'answered' : late ? 'late' : seen, endMs)
    }
    this.#charge(device, endMs - sentMs + this.#gapMs, heard !== undefined)
    return heard ?? seen
  }

  #charge(device: string, airtimeMs: number, answered: boolean): void {
    this.account.airtimeMs += airtimeMs
    let own = this.#devices.get(device)
    if (own === undefined) {
      own = { requests: 0, answers: 0, airtimeMs: 0 }
      this.#devices.set(device, own)
    }
    own.requests += 1
    own.airtimeMs += airtimeMs
    if (answered) own.answers += 1
  }

  /** Set the wire to what the next device listens to, behind the silence that ends the frame before. */
  async #tune(serial: SerialSettings): Promise<void> {
    if (isSame(serial, this.#serial)) return
    if (this.#wire.configure === undefined) {
      throw fixedSpeed(serial.baud)
    }
    await this.#quiet(this.#gapMs)
    await this.#wire.configure(serial)
    this.#serial = serial
    this.#characterMs = characterMs(serial)
    this.#gapMs = gapMs(serial)
  }

  /** Take what comes until it holds the answer, or until then. */
  async #listen({ listening, exchange, lookMs, untilMs }: Listen): Promise<Heard | undefined> {
    for (;;) {
      const wakeMs = this.#clock.monoMs() < lookMs ? lookMs : untilMs
      const missing = listening.missingBytes
      const bytes = await this.#wire.read(missing, wakeMs)
      const monoMs = this.#clock.monoMs()
      if (bytes.length > 0) {
        this.#heardMs = monoMs
        if (exchange !== undefined) this.#recorder!.heard(exchange, bytes, monoMs)
      }
      const payload = listening.take(bytes)
      if (payload !== undefined) return { payload, monoMs }
      if (monoMs >= untilMs) return undefined
      if (bytes.length < missing) continue
      // As many bytes as wanted, and no answer among them: noise, an echo, somebody else.
      await this.#clock.sleep(Math.min(PATIENCE_MS, untilMs - monoMs))
    }
  }

  /**
   * Promise 10: nothing is sent until the longest late answer is over. It is over once it was seen whole, or when
   * the time in which it may come has passed and the wire is calm. @returns whether it came
   */
  async #outwait(listen: Listen): Promise<boolean> {
    const late = await this.#listen({ ...listen, lookMs: listen.untilMs })
    if (late !== undefined) this.account.lateAnswers += 1
    else await this.#quiet(Math.max(CALM_MS, this.#gapMs))
    return late !== undefined
  }

  /** Wait until nothing was on the wire for `quietMs`. */
  async #quiet(quietMs: number): Promise<void> {
    const sinceMs = this.#clock.monoMs()
    let strayBytes = 0
    for (let quietFromMs = this.#heardMs; ; ) {
      const stray = await this.#wire.read(Number.POSITIVE_INFINITY, quietFromMs + quietMs)
      if (stray.length === 0) return
      strayBytes += stray.length
      this.account.strayBytes += stray.length
      // When in that time they came nobody knows, so the silence begins anew.
      quietFromMs = this.#clock.monoMs()
      this.#recorder?.stray(stray, quietFromMs)
      this.#heardMs = quietFromMs
      if (quietFromMs - sinceMs > JAMMED_AFTER_MS) throw jammed(strayBytes, quietFromMs - sinceMs)
    }
  }

  /** A line that brings back our own bytes does so always: two-wire adapters that do not switch their receiver off. */
  #learnEcho(listening: Listening): void {
    const echoed = listening.echoed
    if (echoed === undefined) return
    this.#echo = echoed
    if (echoed) this.account.echoes += 1
  }

  #count(seen: Seen): void {
    this.account.timeouts += 1
    if (seen === 'damaged') this.account.crcErrors += 1
    if (seen === 'another') this.account.foreign += 1
    if (seen === 'noise') this.account.noise += 1
  }
}

function isSame(a: SerialSettings, b: SerialSettings): boolean {
  return a.baud === b.baud && a.dataBits === b.dataBits && a.parity === b.parity && a.stopBits === b.stopBits
}
