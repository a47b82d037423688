import { readRequest } from '../../../../drivers/rs485/codec/pdu.ts'
import { rtuQuestion } from '../../../../drivers/rs485/codec/rtu.ts'
import { Line } from '../../../../drivers/rs485/line.ts'
import { isFault } from '../../../../gateway/contract/fault.ts'
import type { Random } from '../../../../gateway/contract/io.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'
import { show } from '../../../hex.ts'
import { SETTINGS } from './host.ts'
import { ScriptedWire } from './transcript.ts'

const UNIT = 17
const COUNT_MAX = 20
const NOISE_MAX = 300
const TIMEOUT_MS = 100
const LATE_MS = 400
const CHARACTER_MS = 10 / 9.6
const ON_TIME_MS = 30

/** What a fuzzed line did; each field has to be more than nothing, or the fuzzing was worth nothing. */
export interface Fuzzed {
  readonly bytes: number
  readonly exchanges: number
  readonly answers: number
  /** Chance frames with the right check: one in 65536 mutations. */
  readonly coincidences: number
}

/** What comes in place of an answer. */
interface Comes {
  readonly kind: string
  /** Milliseconds after the request's end, and bytes. */
  readonly pieces: readonly (readonly [afterMs: number, bytes: Uint8Array])[]
  /** Whether the right answer is among them, on time. */
  readonly answered: boolean
}

/**
 * Ask register after register of a line that answers rightly, damaged, late, twice, for others, in pieces or by
 * chance bytes. Whatever comes: a value is only ever one that stood in a frame with a right check that answers this
 * very request, and an answer that was there on time is found.
 * @throws Error that tells the seed and the exchange when a value comes from nowhere
 */
export async function fuzzLine(seed: number, bytesMin: number): Promise<Fuzzed> {
  const random = seededRandom(seed)
  const clock = new VirtualClock()
  const wire = new ScriptedWire(clock, [])
  const line = new Line({ wire, clock, serial: SETTINGS, timeoutMs: TIMEOUT_MS, lateMs: LATE_MS })
  const result = { bytes: 0, exchanges: 0, answers: 0, coincidences: 0 }
  for (let before: Uint8Array = new Uint8Array(0); result.bytes < bytesMin; result.exchanges++) {
    const count = 1 + below(random, COUNT_MAX)
    const address = result.exchanges % 60_000
    const words = Array.from({ length: count }, (_, at) => (address * 7 + at * 13) & 0xffff)
    const right = answerFrame(UNIT, words)
    const comes = whatComes(random, right, before)
    before = right
    const question = rtuQuestion(UNIT, readRequest('holding', address, count))
    const heard = line.ask(question, { attempts: 1 }).then(
      ({ payload }) => payload,
      (error) => (isFault(error) && error.reach === 'device' ? undefined : Promise.reject(error)),
    )
    // It goes out once the wire is quiet.
    while (wire.written.length === result.exchanges) await clock.advance(1)
    const stream: number[] = []
    for (const [afterMs, bytes] of comes.pieces) {
      wire.say(show(bytes), afterMs)
      result.bytes += bytes.length
      stream.push(...bytes)
    }
    const where = `seed ${seed}, exchange ${result.exchanges}, ${comes.kind}: ${show(Uint8Array.from(stream))}`
    // The next one is asked in the moment in which this one is over: what comes late comes then.
    judge(await until(heard, clock), comes, { right, stream, where, result })
  }
  return result
}

async function until<T>(heard: Promise<T>, clock: VirtualClock): Promise<T> {
  let over = false
  const end = (): void => {
    over = true
  }
  heard.then(end, end)
  while (!over) await clock.advance(5)
  return heard
}

interface Judged {
  readonly right: Uint8Array
  readonly stream: readonly number[]
  readonly where: string
  readonly result: { answers: number; coincidences: number }
}

function judge(payload: Uint8Array | undefined, comes: Comes, { right, stream, where, result }: Judged): void {
  if (payload === undefined) {
    if (comes.answered) throw new Error(`the answer was there and was not found; ${where}`)
    return
  }
  const framed = frame(UNIT, payload)
  if (!contains(stream, framed)) throw new Error(`a value from nowhere: ${show(payload)}; ${where}`)
  if (show(framed) === show(right)) {
    if (!comes.answered) throw new Error(`an answer that was not on time was taken; ${where}`)
    result.answers += 1
  } else if (payload[0] === 0x83 || comes.kind === 'mutated' || comes.kind === 'noise') result.coincidences += 1
  else throw new Error(`a frame that is no answer was taken: ${show(payload)}; ${where}`)
}

function whatComes(random: Random, right: Uint8Array, before: Uint8Array): Comes {
  const noise = (): Uint8Array => random.bytes(below(random, NOISE_MAX))
  const cut = 1 + below(random, right.length - 1)
  const parts: [number, Uint8Array][] = [
    [ON_TIME_MS, right.subarray(0, cut)],
    [ON_TIME_MS + below(random, 40), right.subarray(cut)],
  ]
  // The wire itself takes as long as the answer; late ones end within the time that was agreed.
  const lateMs = TIMEOUT_MS + 30 + right.length * CHARACTER_MS + below(random, LATE_MS - 60)
  const kinds: readonly (() => Comes)[] = [
    () => ({ kind: 'right', answered: true, pieces: [[ON_TIME_MS, right]] }),
    () => ({ kind: 'in pieces', answered: true, pieces: parts }),
    () => ({
      kind: 'behind noise',
      answered: true,
      pieces: [
        [ON_TIME_MS, noise()],
        [ON_TIME_MS + 1, right],
        [ON_TIME_MS + 2, noise()],
      ],
    }),
    () => ({
      kind: 'twice',
      answered: true,
      pieces: [
        [ON_TIME_MS, right],
        [ON_TIME_MS + 1, right],
      ],
    }),
    () => ({
      kind: 'behind another unit',
      answered: true,
      pieces: [
        [ON_TIME_MS, frame(UNIT + 1, right.slice(1, -2))],
        [ON_TIME_MS + 1, right],
      ],
    }),
    () => ({ kind: 'mutated', answered: false, pieces: [[ON_TIME_MS, mutated(random, right)]] }),
    () => ({ kind: 'half', answered: false, pieces: [[ON_TIME_MS, right.subarray(0, cut)]] }),
    () => ({ kind: 'late', answered: false, pieces: [[lateMs, right]] }),
    () => ({
      kind: 'noise',
      answered: false,
      pieces: [
        [ON_TIME_MS, noise()],
        [ON_TIME_MS + 50, noise()],
      ],
    }),
    () => ({
      kind: 'another length',
      answered: false,
      pieces: [[ON_TIME_MS, answerFrame(UNIT, Array(COUNT_MAX + 1).fill(0xbad))]],
    }),
    () => ({
      kind: 'another function',
      answered: false,
      pieces: [[ON_TIME_MS, frame(UNIT, Uint8Array.of(4, ...right.slice(2, -2)))]],
    }),
    () => ({ kind: 'another unit', answered: false, pieces: [[ON_TIME_MS, frame(UNIT + 1, right.slice(1, -2))]] }),
    () => ({ kind: 'an older answer, damaged', answered: false, pieces: [[ON_TIME_MS, mutated(random, before)]] }),
    () => ({ kind: 'exception', answered: false, pieces: [[ON_TIME_MS, frame(UNIT, Uint8Array.of(0x83, 6))]] }),
    () => ({ kind: 'silence', answered: false, pieces: [] }),
  ]
  return kinds[below(random, kinds.length)]!()
}

function mutated(random: Random, bytes: Uint8Array): Uint8Array {
  const other = Uint8Array.from(bytes)
  for (let times = 1 + below(random, 4); times > 0 && other.length > 0; times--) {
    other[below(random, other.length)]! ^= 1 + below(random, 255)
  }
  // Two changes may undo each other.
  if (other.length > 0 && show(other) === show(bytes)) other[0]! ^= 1
  return other
}

function answerFrame(unit: number, words: readonly number[]): Uint8Array {
  return frame(unit, Uint8Array.of(3, words.length * 2, ...words.flatMap((word) => [word >> 8, word & 0xff])))
}

/** The frame and its check as MODBUS over Serial Line V1.02, 6.2.2 says, bit by bit: not the codec's own. */
function frame(unit: number, pdu: Uint8Array): Uint8Array {
  let crc = 0xffff
  for (const byte of [unit, ...pdu]) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1
  }
  return Uint8Array.of(unit, ...pdu, crc & 0xff, crc >> 8)
}

function contains(stream: readonly number[], part: Uint8Array): boolean {
  for (let start = 0; start + part.length <= stream.length; start++) {
    if (part.every((byte, at) => stream[start + at] === byte)) return true
  }
  return false
}

function below(random: Random, most: number): number {
  return Math.floor(random.next() * most)
}
