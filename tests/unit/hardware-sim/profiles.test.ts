import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Cjt188Meter } from '../../../hardware-sim/cjt188-meter.ts'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { Dlt645Meter } from '../../../hardware-sim/dlt645-meter.ts'
import { ModbusMeter } from '../../../hardware-sim/modbus-meter.ts'
import {
  type Cjt188Profile,
  type Dlt645Profile,
  type ModbusProfile,
  PROFILE_FOLDER,
  parseProfile,
} from '../../../hardware-sim/profile.ts'
import { encodePoint } from '../../../hardware-sim/registers.ts'
import { cjt188, dlt645, saidBy188, saidBy645 } from './summed.ts'

/** Every profile of the folder, so that a new file is simulated at once. */
const profiles = readdirSync(PROFILE_FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.includes('/') && path.endsWith('.json'))
  .map((path) => parseProfile(JSON.parse(readFileSync(join(PROFILE_FOLDER, path), 'utf8'))))

/** Points of each protocol that the folder may not have yet. */
const VOLUME = { point: 'volume', unit: 'm³', at: 0, bytes: 4, decimals: 2, unitAt: 4 }
const POINTS = [
  { point: 'power', unit: 'W', identifier: '02030000', bytes: 3, decimals: 4, scale: 1000, signed: true },
  { point: 'current_l2', unit: 'A', identifier: '0202ff00', at: 3, bytes: 3, decimals: 3, signed: true },
  { point: 'relay_open', identifier: '04000503', bytes: 2, as: 'bit', bit: 4 },
]
const own = [
  { id: 'test/2007', protocol: 'dlt645', points: POINTS },
  { id: 'test/1997', protocol: 'dlt645', edition: '1997', points: [{ ...POINTS[0], identifier: 'b630' }] },
  { id: 'test/water', protocol: 'cjt188', type: '10', answers: { '901f': 19 }, points: [VOLUME] },
].map(parseProfile)

test.each([...profiles, ...own].map((profile) => [profile.id, profile] as const))(
  '%s answers for each of its points',
  (_id, profile) => {
    if (profile.protocol === 'modbus') expectRegisters(profile)
    else if (profile.protocol === 'dlt645') expectIdentifiers645(profile)
    else expectIdentifiers188(profile)
  },
)

function expectRegisters(profile: ModbusProfile): void {
  const meter = new ModbusMeter({ id: 'm', unit: 1, profile, clock: new VirtualClock(), strictAddresses: true })
  const READ = { coil: 1, discrete: 2, holding: 3, input: 4 } as const
  for (const point of profile.points) {
    const words = encodePoint(point, 1).length
    const answer = meter.pdu(Uint8Array.of(READ[point.table], point.address >> 8, point.address & 255, 0, words))
    expect([point.point, answer[0]]).toEqual([point.point, READ[point.table]])
    // Not-a-number begins with these in a float; no simulated point may show it.
    if (point.as === 'float32')
      expect([point.point, answer[2]! & 0x7f, answer[3]]).not.toEqual([point.point, 0x7f, 0xc0])
  }
}

/** Every byte of a number is two digits; the highest bit of the last may be its sign. */
function expectDigits(point: string, bytes: Buffer, signed: boolean): void {
  const last = bytes.at(-1)!
  const digits = signed ? Buffer.of(...bytes.subarray(0, -1), last & 0x7f) : bytes
  expect([point, digits.toString('hex')]).toEqual([point, expect.stringMatching(/^(\d\d)+$/)])
}

function expectIdentifiers645(profile: Dlt645Profile): void {
  const meter = new Dlt645Meter({ id: 'm', address: '000000000001', profile, clock: new VirtualClock() })
  const [asked, answered] = profile.edition === '1997' ? ['01', '81'] : ['11', '91']
  for (const { point, identifier, at, bytes, as, signed } of profile.points) {
    const wire = Buffer.from(identifier, 'hex').reverse().toString('hex')
    const said = saidBy645(meter.answer(dlt645('01 00 00 00 00 00', asked!, wire)))
    expect([point, said]).toEqual([point, expect.stringMatching(`^${answered}${wire}`)])
    const data = Buffer.from(said!.slice(2 + wire.length), 'hex').subarray(at, at + bytes)
    expect([point, data.length]).toEqual([point, bytes])
    if (as === 'bcd') expectDigits(point, data, signed)
  }
}

function expectIdentifiers188(profile: Cjt188Profile): void {
  const meter = new Cjt188Meter({ id: 'm', address: '00000000000001', profile, clock: new VirtualClock() })
  for (const { point, identifier, at, bytes, as, signed } of profile.points) {
    const highFirst = Buffer.from(identifier, 'hex')
    const wire = (profile.identifierOrder === 'high-first' ? highFirst : highFirst.reverse()).toString('hex')
    const said = saidBy188(meter.answer(cjt188(`${profile.type} 01 00 00 00 00 00 00`, '01', `${wire} 00`)))
    expect([point, said]).toEqual([point, expect.stringMatching(`^81${wire}00`)])
    const data = Buffer.from(said!.slice(8), 'hex')
    const whole = profile.answers[identifier]
    if (whole !== undefined) expect([point, data.length]).toEqual([point, whole])
    if (as === 'bcd') expectDigits(point, data.subarray(at, at + bytes), signed)
  }
}
