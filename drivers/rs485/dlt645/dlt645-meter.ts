import { Fault } from '../../../gateway/contract/fault.ts'
import { type Dlt645Request, dlt645Question, readDlt645 } from '../codec/dlt645.ts'
import type { Question } from '../codec/question.ts'
import { type Fetch, IdentifiedMeter, type Told } from '../identified-meter.ts'
import type { Heard } from '../line.ts'
import type { PlannedMeter } from '../meter.ts'
import type { Dlt645Profile } from './dlt645-profile.ts'

export const ADDRESS_DIGITS = 12

/* Control codes of a master (DL/T 645-2007, 5.2; 1997: 5.2). */
const READ = 0x11
const READ_ON = 0x12
const READ_1997 = 0x01
const READ_ON_1997 = 0x02
/** Bit of an error word: there is no such data. */
const NO_SUCH_DATA = 0x02
/** What an answer has beside the identifier, where nothing is known of it. */
const ANSWER_BYTES = 4
/** The number of a frame is one byte. */
const FRAMES_MAX = 255

/** Brings a question to the line and what was heard back. */
export type AskLine = (question: Question, attempts: number) => Promise<Heard>

/** @param address digits as they are printed on the meter, twelve at the most */
export function dlt645Meter(id: string, address: string, profile: Dlt645Profile, ask: AskLine): PlannedMeter {
  const lengths = lengthsOf(profile)
  const fetch: Fetch = (identifier, attempts) =>
    read(
      { address: address.padStart(ADDRESS_DIGITS, '0'), profile, identifier, ask, attempts },
      lengths.get(identifier),
    )
  return new IdentifiedMeter({ id, profile: profile.id, points: profile.points, fetch })
}

/** How many bytes come behind each identifier, as far as the points need them. */
function lengthsOf({ points }: Dlt645Profile): ReadonlyMap<string, number> {
  const lengths = new Map<string, number>()
  for (const { identifier, at, bytes } of points) {
    lengths.set(identifier, Math.max(lengths.get(identifier) ?? 0, at + bytes))
  }
  return lengths
}

interface Reading {
  readonly address: string
  readonly profile: Dlt645Profile
  readonly identifier: string
  readonly ask: AskLine
  readonly attempts: number
}

/** One identifier, in as many frames as the meter needs for it (7.2.2 of the standard: the last one says so). */
async function read(reading: Reading, wantedBytes = ANSWER_BYTES): Promise<Told> {
  const { profile, identifier } = reading
  const isOld = profile.edition === '1997'
  const head = Uint8Array.from(Buffer.from(identifier, 'hex').reverse())
  const parts: Uint8Array[] = []
  for (let frame = 0; frame <= FRAMES_MAX; frame++) {
    const answerBytes = head.length + wantedBytes
    const first = { control: isOld ? READ_1997 : READ, data: head, echoes: head.length, answerBytes }
    // In 1997 the frames that follow are not numbered.
    const numbered = isOld ? head : Uint8Array.of(...head, frame)
    const next = { control: isOld ? READ_ON_1997 : READ_ON, data: numbered, echoes: head.length, answerBytes }
    const { answer, monoMs } = await askOnce(reading, frame === 0 ? first : next)
    if (answer.kind === 'refused') {
      if ((answer.error & NO_SUCH_DATA) !== 0) return { kind: 'refused', reason: answer.reason, monoMs }
      throw new Fault('device', `it refuses ${identifier}: ${answer.reason}`, { code: `refused-${answer.error}` })
    }
    const tailBytes = frame === 0 || isOld ? 0 : 1
    if (tailBytes === 1 && answer.data.at(-1) !== frame) {
      throw new Fault('device', `it gave frame ${answer.data.at(-1)} of ${identifier} where ${frame} was asked for`, {
        code: 'frame',
      })
    }
    parts.push(answer.data.subarray(head.length, answer.data.length - tailBytes))
    if (!answer.more) return { kind: 'data', data: Buffer.concat(parts), monoMs }
  }
  throw new Fault('device', `its answer to ${identifier} has no end`, { code: 'frame' })
}

async function askOnce({ address, ask, attempts }: Reading, request: Dlt645Request) {
  const { payload, monoMs } = await ask(dlt645Question(address, request), attempts)
  return { answer: readDlt645(payload), monoMs }
}
