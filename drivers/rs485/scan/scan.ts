import type { Found, Probed } from '../../../gateway/contract/driver.ts'
import { isFault } from '../../../gateway/contract/fault.ts'
import { cjt188Meter } from '../cjt188/cjt188-meter.ts'
import { cjt188Question, readCjt188 } from '../codec/cjt188.ts'
import { identificationQuestion, readIdentification } from '../codec/device-identification.ts'
import { dlt645Question, readDlt645 } from '../codec/dlt645.ts'
import { readAnswer, readRequest } from '../codec/pdu.ts'
import type { Question } from '../codec/question.ts'
import { rtuQuestion } from '../codec/rtu.ts'
import { wordsOf } from '../codec/value.ts'
import { serialCosts } from '../costs.ts'
import { type AskLine, dlt645Meter } from '../dlt645/dlt645-meter.ts'
import type { Heard, Line } from '../line.ts'
import type { Meter } from '../meter.ts'
import { decodePoint, ModbusMeter } from '../modbus/modbus-meter.ts'
import type { Profile } from '../profile.ts'
import { isPlausible, likenesses, namedProfiles } from './recognition.ts'
import { answerMs, TRIALS, type Trial, trialMs } from './trials.ts'

export interface ScanOptions {
  readonly line: Pick<Line, 'ask'>
  /** Models that a device is compared with. */
  readonly profiles: readonly Profile[]
  readonly signal: AbortSignal
  /** How many times as long as usual an answer is waited for; 1 when left out. */
  readonly patience?: number
  readonly trials?: readonly Trial[]
}

/** Nobody; several at once, or something that is not understood; or the answer. */
type Reply = Heard | 'silence' | 'clash'

const DLT645_DIGITS = 12
const CJT188_ADDRESS = 'A'.repeat(14)
/** Control codes that ask for the address: DL/T 645-2007, 7.3; CJ/T 188-2004, 7.2. */
const DLT645_READ_ADDRESS = 0x13
const CJT188_READ_ADDRESS = 0x03
const CJT188_ADDRESS_IDENTIFIER = 0x810a
const ANY_TYPE = 0xaa

/**
 * Look for devices on a line: in one way after the other, what is common first. Whoever was found is read by the
 * profiles that could be its own. Ends when `signal` aborts, or everything was tried.
 */
export async function* scan(options: ScanOptions): AsyncIterable<Probed> {
  const { trials = TRIALS, patience = 1, signal } = options
  const leftMs = trials.map((trial) => trialMs(trial, patience))
  const sum = leftMs.reduce((all, ms) => all + ms, 0)
  // Who answers whatever the parity is, is one device all the same: two with one address would speak at once.
  const known = new Set<string>()
  let doneMs = 0
  for (const [at, trial] of trials.entries()) {
    const { serial, protocol } = trial
    const terms = { serial, timeoutMs: answerMs(protocol, patience), lateMs: 0 }
    const ask: AskLine = (question, attempts) => options.line.ask(question, { attempts, terms })
    const trying = new TrialRun(trial, ask, options, known)
    for await (const { found, part } of trying.run()) {
      if (signal.aborted) return
      const overMs = doneMs + part * leftMs[at]!
      if (found !== undefined) yield found
      yield { kind: 'progress', part: overMs / sum, leftMs: sum - overMs, doing: described(trial) }
    }
    doneMs += leftMs[at]!
  }
}

/** A step of a trial: how much of it is over, and who was found with it. */
interface Step {
  readonly part: number
  readonly found?: Probed
}

class TrialRun {
  readonly #trial: Trial
  readonly #ask: AskLine
  readonly #options: ScanOptions
  /** Modbus units that were found, each with its speed. */
  readonly #known: Set<string>

  constructor(trial: Trial, ask: AskLine, options: ScanOptions, known: Set<string>) {
    this.#known = known
    this.#trial = trial
    this.#ask = ask
    this.#options = options
  }

  run(): AsyncIterable<Step> {
    switch (this.#trial.protocol) {
      case 'modbus':
        return this.#modbus()
      case 'dlt645':
        return this.#dlt645('', 0, 1)
      case 'cjt188':
        return this.#cjt188()
      default:
        return this.#trial.protocol satisfies never
    }
  }

  async *#modbus(): AsyncIterable<Step> {
    const [from, to] = this.#trial.units
    const request = readRequest('holding', 0, 1)
    for (let unit = from; unit <= to; unit++) {
      const key = `${this.#trial.serial.baud} ${unit}`
      const part = (unit - from + 1) / (to - from + 1)
      // Whoever is there answers, if only that it has no such register.
      const reply = this.#known.has(key) ? 'silence' : await this.#reply(rtuQuestion(unit, request))
      if (reply === 'silence') yield { part }
      else if (reply === 'clash') yield { part, found: this.#clash(`unit ${unit}`) }
      else {
        this.#known.add(key)
        yield { part, found: await this.#recogniseModbus(unit) }
      }
    }
  }

  async #recogniseModbus(unit: number): Promise<Probed> {
    const said = await this.#reply(identificationQuestion(unit))
    const named = typeof said === 'object' ? (readIdentification(said.payload) ?? {}) : {}
    const all = this.#profiles('modbus')
    const byName = namedProfiles(all, named)
    const makeMeter = (profile: Profile): Meter => this.#modbusMeter(unit, profile)
    const like = byName.length === 1 ? byName : (await this.#likely(unit, all, makeMeter)).map(({ profile }) => profile)
    return this.#found(String(unit), like, { ...named })
  }

  /** Read whole by those profiles only of which one value was asked for and makes sense: a model has dozens of registers. */
  async #likely(unit: number, profiles: readonly Profile[], makeMeter: (profile: Profile) => Meter) {
    const likely: Profile[] = []
    for (const profile of profiles) if (await this.#glance(unit, profile)) likely.push(profile)
    return likenesses(likely, makeMeter)
  }

  async #glance(unit: number, profile: Profile): Promise<boolean> {
    if (profile.protocol !== 'modbus') return false
    const point = profile.points.find(({ point: name }) => isPlausible(name, 0) !== undefined)
    if (point === undefined) return false
    const request = readRequest(point.table, point.address, wordsOf(point))
    const reply = await this.#reply(rtuQuestion(unit, request))
    const answer = typeof reply === 'object' ? readAnswer(request, reply.payload) : undefined
    return answer?.kind === 'data' && isPlausible(point.point, decodePoint(point, point.address, answer.data)) === true
  }

  #modbusMeter(unit: number, profile: Profile): Meter {
    if (profile.protocol !== 'modbus') throw new Error(`${profile.id} does not speak Modbus`)
    return new ModbusMeter(`unit ${unit}`, profile, serialCosts(this.#trial.serial), async (request, attempts) => {
      const { payload, monoMs } = await this.#ask(rtuQuestion(unit, request), attempts)
      const answer = readAnswer(request, payload)
      if (answer === undefined) throw new Error('the codec matched a frame that is no answer')
      return { answer, monoMs }
    })
  }

  /**
   * Everybody whose number ends in these digits is asked for it (DL/T 645-2007, 5.2.3: high digits may be left open).
   * Where several speak at once, two digits more are tried.
   */
  async *#dlt645(low: string, from: number, share: number): AsyncIterable<Step> {
    const address = low.padStart(DLT645_DIGITS, 'A')
    const request = { control: DLT645_READ_ADDRESS, data: new Uint8Array(), echoes: 0, answerBytes: DLT645_DIGITS / 2 }
    const reply = await this.#reply(dlt645Question(address, request))
    if (reply === 'clash' && low.length < DLT645_DIGITS) {
      for (let pair = 0; pair < 100 && !this.#options.signal.aborted; pair++) {
        const more = `${String(pair).padStart(2, '0')}${low}`
        yield* this.#dlt645(more, from + (share * pair) / 100, share / 100)
      }
      return
    }
    const part = from + share
    if (typeof reply === 'string') {
      yield reply === 'silence' ? { part } : { part, found: this.#clash(`number ${address}`) }
      return
    }
    const answer = readDlt645(reply.payload)
    const number = answer.kind === 'data' ? Buffer.from(answer.data).reverse().toString('hex') : address
    const like = await likenesses(this.#profiles('dlt645'), (profile) => {
      if (profile.protocol !== 'dlt645') throw new Error(`${profile.id} does not speak DL/T 645`)
      return dlt645Meter(number, number, profile, this.#ask)
    })
    yield {
      part,
      found: this.#found(
        number,
        like.map(({ profile }) => profile),
      ),
    }
  }

  async *#cjt188(): AsyncIterable<Step> {
    const reply = await this.#reply(
      cjt188Question({
        type: ANY_TYPE,
        address: CJT188_ADDRESS,
        control: CJT188_READ_ADDRESS,
        identifier: CJT188_ADDRESS_IDENTIFIER,
        order: 'high-first',
        serial: 0,
        answerBytes: 0,
      }),
    )
    if (typeof reply === 'string') {
      yield reply === 'silence' ? { part: 1 } : { part: 1, found: this.#clash('more than one number') }
      return
    }
    const answer = readCjt188(reply.payload, CJT188_ADDRESS_IDENTIFIER)
    const { type, address } = answer.kind === 'data' ? answer : { type: ANY_TYPE, address: CJT188_ADDRESS }
    const candidates = this.#profiles('cjt188').filter(
      (profile) => profile.protocol === 'cjt188' && Number.parseInt(profile.type, 16) === type,
    )
    const like = await likenesses(candidates, (profile) => {
      if (profile.protocol !== 'cjt188') throw new Error(`${profile.id} does not speak CJ/T 188`)
      return cjt188Meter(address, address, profile, this.#ask)
    })
    const kind = `meter of type ${type.toString(16).padStart(2, '0')}`
    yield {
      part: 1,
      found: this.#found(
        address,
        like.map(({ profile }) => profile),
        {},
        kind,
      ),
    }
  }

  async #reply(question: Question): Promise<Reply> {
    try {
      return await this.#ask(question, 1)
    } catch (error) {
      if (!isFault(error) || error.reach !== 'device') throw error
      return error.code === 'timeout' || error.code === 'foreign' ? 'silence' : 'clash'
    }
  }

  #profiles(protocol: Profile['protocol']): readonly Profile[] {
    return this.#options.profiles.filter((profile) => profile.protocol === protocol)
  }

  #clash(where: string): Probed {
    const { protocol, serial } = this.#trial
    const note =
      'something answers that is no frame: several devices at once, or another speed; connect them one by one'
    return { kind: 'found', device: { protocol, serial, address: '', note: `${where}: ${note}` } }
  }

  #found(
    address: string,
    [best, ...others]: readonly Profile[],
    named: Pick<Found, 'maker' | 'model'> & { readonly revision?: string } = {},
    kind?: string,
  ): Probed {
    const { protocol, serial } = this.#trial
    const { revision, ...names } = named
    const notes = [
      ...(kind === undefined ? [] : [kind]),
      ...(revision === undefined ? [] : [`revision ${revision}`]),
      ...(best === undefined ? ['no profile fits: `linli profiles` lists those that there are'] : []),
      ...(others.length === 0 ? [] : [`${others.map(({ id }) => id).join(', ')} would fit too`]),
    ]
    const model = best === undefined ? {} : { maker: best.maker, model: best.model, profile: best.id }
    const note = notes.length === 0 ? {} : { note: notes.join('; ') }
    return { kind: 'found', device: { protocol, address, serial, ...model, ...names, ...note } }
  }
}

function described({ protocol, serial, units: [from, to] }: Trial): string {
  const framing = `${serial.baud} ${serial.dataBits}${serial.parity[0]!.toUpperCase()}${serial.stopBits}`
  const names = { modbus: `Modbus units ${from} to ${to}`, dlt645: 'DL/T 645', cjt188: 'CJ/T 188' }
  return `${names[protocol]} at ${framing}`
}
