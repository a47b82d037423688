import { Fault } from '../../../gateway/contract/fault.ts'
import { decodeBcdPoint } from '../bcd-point.ts'
import { cjt188Question, readCjt188, unitOf } from '../codec/cjt188.ts'
import type { Value } from '../codec/value.ts'
import type { AskLine } from '../dlt645/dlt645-meter.ts'
import { type Fetch, IdentifiedMeter } from '../identified-meter.ts'
import type { PlannedMeter } from '../meter.ts'
import type { Cjt188Point, Cjt188Profile } from './cjt188-profile.ts'

export const ADDRESS_DIGITS = 14

/** Digits that a number of JavaScript holds exactly: what multiplying leaves behind them is noise. */
const PRECISION_DIGITS = 15

/* Control code of a master (CJ/T 188-2004, 7.2). */
const READ = 0x01

/** @param address digits as they are printed on the meter, fourteen at the most */
export function cjt188Meter(id: string, address: string, profile: Cjt188Profile, ask: AskLine): PlannedMeter {
  let serial = 0
  const fetch: Fetch = async (identifier, attempts) => {
    const wantedBytes = profile.answers[identifier]!
    serial = (serial + 1) % 256
    const wanted = Number.parseInt(identifier, 16)
    const question = cjt188Question({
      type: Number.parseInt(profile.type, 16),
      address: address.padStart(ADDRESS_DIGITS, '0'),
      control: READ,
      identifier: wanted,
      order: profile.identifierOrder,
      serial,
      answerBytes: wantedBytes,
    })
    const { payload, monoMs } = await ask(question, attempts)
    const answer = readCjt188(payload, wanted)
    if (answer.kind === 'refused') return { kind: 'refused', reason: `refused, state ${answer.state}`, monoMs }
    if (answer.data.length !== wantedBytes) throw otherLayout(identifier, answer.data, wantedBytes, profile)
    return { kind: 'data', data: answer.data, monoMs }
  }
  return new IdentifiedMeter({ id, profile: profile.id, points: profile.points, fetch, decode })
}

/** Makers fill the same identifier differently, and only the length tells: a wrong value is worse than none. */
function otherLayout(identifier: string, data: Uint8Array, wantedBytes: number, { id }: Cjt188Profile): Fault {
  const message = `its answer to ${identifier} has ${data.length} bytes, profile ${id} is for ${wantedBytes}`
  return new Fault('device', message, {
    code: 'wrong-profile',
    hint: `look for another profile of its maker; the bytes were ${Buffer.from(data).toString('hex')}`,
  })
}

/** @throws Fault of reach `point` where the unit on the wire is not one that leads to the point's */
export function decode(point: Cjt188Point, data: Uint8Array): Value | null {
  const value = decodeBcdPoint(point, data)
  if (point.unitAt === undefined || typeof value !== 'number') return value
  const byte = data[point.unitAt]!
  const on = unitOf(byte)
  const factor = on === undefined ? undefined : conversion(on.unit, point.unit)
  if (on === undefined || factor === undefined) {
    const hex = byte.toString(16).padStart(2, '0').toUpperCase()
    const what = on === undefined ? 'is no unit of CJ/T 188' : `is ${on.unit}`
    throw new Fault('point', `${point.point}: its unit byte ${hex}H ${what}, ${point.unit} was wanted`, {
      code: 'unit',
      hint: 'is it this model? another profile may have the byte elsewhere',
    })
  }
  return Number((value * on.scale * factor).toPrecision(PRECISION_DIGITS))
}

/** Each unit by what it measures, and its size. */
const SIZES: Readonly<Record<string, readonly [of: string, size: number]>> = {
  J: ['energy', 1],
  kJ: ['energy', 1e3],
  MJ: ['energy', 1e6],
  GJ: ['energy', 1e9],
  Wh: ['energy', 3600],
  kWh: ['energy', 3.6e6],
  MWh: ['energy', 3.6e9],
  W: ['power', 1],
  kW: ['power', 1e3],
  MW: ['power', 1e6],
  L: ['volume', 1],
  m3: ['volume', 1e3],
  'L/h': ['flow', 1],
  'm3/h': ['flow', 1e3],
}

function conversion(from: string, to: string): number | undefined {
  // People write m³, the wire and most profiles m3.
  const [a, b] = [SIZES[from], SIZES[to.replace('³', '3')]]
  return a === undefined || b === undefined || a[0] !== b[0] ? undefined : a[1] / b[1]
}
