import { expect, test } from 'vitest'
import { Cjt188Meter, type Cjt188MeterOptions } from '../../../hardware-sim/cjt188-meter.ts'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { parseCjt188Profile } from '../../../hardware-sim/profile.ts'
import { cjt188, saidBy188 } from './summed.ts'

const ADDRESS = '44 33 22 11 00 33 78'
const NOON_MS = Date.UTC(2026, 10, 23, 4, 30)

const WATER = {
  id: 'test/water',
  protocol: 'cjt188',
  type: '10',
  answers: { '901f': 19 },
  points: [
    { point: 'volume', unit: 'm³', at: 0, bytes: 4, decimals: 2, unitAt: 4 },
    { point: 'valve_closed', at: 17, bytes: 2, as: 'bit', bit: 0 },
    { point: 'state', at: 17, bytes: 2, as: 'hex' },
    { point: 'volume_last_month', identifier: 'd120', unit: 'm3', bytes: 4, decimals: 2, unitAt: 4 },
  ],
}

function meterWith(options: Partial<Cjt188MeterOptions> = {}, profile: object = {}) {
  const clock = new VirtualClock(NOON_MS)
  const parsed = parseCjt188Profile({ ...WATER, ...profile })
  const meter = new Cjt188Meter({ id: 'm', address: '78330011223344', profile: parsed, clock, ...options })
  const say = (control: string, data: string, address = `10 ${ADDRESS}`) =>
    saidBy188(meter.answer(cjt188(address, control, data)))
  return { clock, meter, say }
}

test.each([
  ['its own address', `10 ${ADDRESS}`, true],
  ['its address, of any type', `aa ${ADDRESS}`, true],
  ['whoever is there', 'aa aa aa aa aa aa aa aa', true],
  ['whatever water meter is there', '10 aa aa aa aa aa aa aa', true],
  ['its address, of another type', `20 ${ADDRESS}`, false],
  ['whatever heat meter is there', '20 aa aa aa aa aa aa aa', false],
  ['another address', '10 45 33 22 11 00 33 78', false],
  ['half of its address', '10 44 33 22 11 aa aa aa', false],
])('asked for %s', (_who, address, isAnswered) => {
  expect(meterWith().say('01', '90 1f 00', address) !== undefined).toBe(isAnswered)
  expect(meterWith().say('03', '81 0a 00', address) !== undefined).toBe(isAnswered)
})

test('a frame with a wrong sum, one without its end and one too short are not answered', () => {
  const { meter } = meterWith()
  const right = cjt188(`10 ${ADDRESS}`, '01', '90 1f 00')
  expect(meter.answer(right)).not.toBe(undefined)
  expect(meter.answer(right.with(-2, right.at(-2)! ^ 1))).toBe(undefined)
  expect(meter.answer(right.with(-1, 0x17))).toBe(undefined)
  expect(meter.answer(cjt188(`10 ${ADDRESS}`, '01', '90 1f'))).toBe(undefined)
  // The sum of no frame at all.
  expect(meter.answer(new Uint8Array(0))).toBe(undefined)
})

test.each([
  ['its own order', 'high-first', '90 1f 07', /^81901f07/],
  ['the other order, which it answers in its own', 'high-first', '1f 90 07', /^81901f07/],
  ['its own order, low byte first', 'low-first', '1f 90 07', /^811f9007/],
  ['the other order, answered low byte first', 'low-first', '90 1f 07', /^811f9007/],
])('asked in %s', (_how, identifierOrder, asked, answer) => {
  expect(meterWith({}, { identifierOrder }).say('01', asked)).toMatch(answer)
})

test('a meter that knows only its own order says nothing to the other', () => {
  const { say } = meterWith({ ownOrderOnly: true })
  expect(say('01', '1f 90 07')).toBe(undefined)
  expect(say('01', '90 1f 07')).toMatch(/^81901f07/)
})

test('a meter that answers 00 whatever the number of the request', () => {
  const { say } = meterWith({ zeroSer: true })
  expect(say('01', '90 1f 07')).toMatch(/^81901f00/)
  expect(say('01', '77 77 07')).toBe('c1000000')
})

test.each([
  ['an identifier that is not there', '01', '77 77 09', 'c1090000'],
  ['the address under another name', '03', '90 1f 09', 'c3090000'],
  ['a write of what cannot be written', '04', '90 1f 09 00', 'c4090000'],
  ['a valve told neither to open nor to close', '04', 'a0 17 09 56', 'c4090000'],
  ['a valve told twice', '04', 'a0 17 09 55 55', 'c4090000'],
  ['a valve told nothing', '04', 'a0 17 09', 'c4090000'],
  ['no time', '04', 'a0 15 09 00 00 00 31 02 26 20', 'c4090000'],
  ['a function that it has not', '09', '81 06 09', 'c9090000'],
])('%s is refused with the state', (_what, control, data, answer) => {
  expect(meterWith().say(control, data)).toBe(answer)
})

test('the volume comes from the load and rises; what the valve holds back never comes', async () => {
  const { clock, meter, say } = meterWith()
  const litres = () => {
    const [, digits] = /^81901f00(.{8})2c/.exec(say('01', '90 1f 00')!)!
    return Number(Buffer.from(digits!, 'hex').reverse().toString('hex')) * 10
  }
  const before = litres()
  expect(before).toBeCloseTo(meter.load.energyKwh() * 18, -1)
  await clock.advance(3_600_000)
  const risen = litres()
  expect(risen).toBeGreaterThan(before)
  expect(say('04', 'a0 17 05 99')).toBe('84a017050100')
  await clock.advance(3_600_000)
  expect(litres()).toBe(risen)
  // The state stands at the end, and its bits are those that the profile names.
  expect(say('01', '90 1f 00')).toMatch(/0100$/)
  expect(say('04', 'a0 17 06 55')).toBe('84a017060000')
  expect(litres()).toBe(risen)
  await clock.advance(3_600_000)
  expect(litres()).toBeGreaterThan(risen)
})

test('closing a closed valve changes nothing', () => {
  const { meter, say } = meterWith()
  say('04', 'a0 17 05 99')
  say('04', 'a0 17 05 99')
  expect(meter.valveClosed).toBe(true)
  say('04', 'a0 17 05 55')
  expect([meter.valveClosed, meter.load.powerW() > 0]).toEqual([false, true])
})

test('the clock can be set and stands in the data', async () => {
  const { clock, meter, say } = meterWith()
  expect(say('04', 'a0 15 01 30 59 23 31 12 26 20')).toBe('84a015010000')
  expect(meter.clock.text).toBe('2026-12-31 23:59:30')
  await clock.advance(30_000)
  expect(say('01', '90 1f 00')).toMatch(/000000010127200000$/)
})

test('other data have neither time nor state, and are as long as their points, unless the profile says', () => {
  const longer = meterWith({ value: () => 12.34 }, { answers: { d120: 19 } })
  longer.meter.batteryLow = true
  expect(longer.say('01', 'd1 20 00')).toBe(`81d12000341200002c${'00'.repeat(14)}`)
  expect(meterWith({ value: () => 12.34 }).say('01', 'd1 20 00')).toBe('81d12000341200002c')
})

test('an answer is as long as the profile says, and a number at its end stays', () => {
  const at17 = { point: 'flow', unit: 'm3/h', at: 17, bytes: 2 }
  const profile = { answers: { '901f': 20 }, points: [WATER.points[0], at17] }
  const said = meterWith({ value: () => 7 }, profile).say('01', '90 1f 00')
  expect(said).toBe(`81901f00${'00070000'}2c${'00'.repeat(12)}${'0700'}00`)
})

test.each([
  ['kWh', 0x05, 1234.5],
  ['kWh', 0x08, 1.23],
  ['kWh', 0x11, 4.44],
  ['W', 0x17, 1.23],
  ['L', 0x2c, 1.23],
  ['m³/h', 0x32, 1_234_500],
] as const)('1234.5 %s shown with the unit byte %i', (unit, byte, shown) => {
  const points = [{ point: 'amount', unit, bytes: 6, decimals: 2, unitAt: 6 }]
  const one = meterWith({ value: () => 1234.5, unitBytes: { amount: byte } }, { answers: {}, points })
  const said = one.say('01', '90 1f 00')!
  const digits = Buffer.from(said.slice(8, 20), 'hex').reverse().toString('hex')
  expect(Number(digits) / 100).toBeCloseTo(shown, 2)
  expect(said.slice(20, 22)).toBe(byte.toString(16).padStart(2, '0'))
})

test.each([
  ['a unit without a byte', 'V', {}],
  ['a byte that measures something else', 'kWh', { amount: 0x2c }],
  ['a byte that is no unit', 'kWh', { amount: 0x77 }],
])('%s is told when the meter is made', (_what, unit, unitBytes) => {
  const points = [{ point: 'amount', unit, bytes: 4, unitAt: 4 }]
  expect(() => meterWith({ unitBytes }, { points })).toThrow(/unit/)
})

test('the answer of another with a right sum, and a refusal with any state', () => {
  const { meter } = meterWith({ wakeBytes: 2 })
  const request = cjt188(`10 ${ADDRESS}`, '03', '81 0a 05')
  const disguised = meter.disguise(meter.answer(request)!, 0x68)
  const other = cjt188('10 68 33 22 11 00 33 78', '83', '81 0a 05')
  expect(Buffer.from(disguised.subarray(2))).toEqual(Buffer.from(other))
  const refused = cjt188(`10 ${ADDRESS}`, 'c3', '05 40 00')
  expect(Buffer.from(meter.refuse(request, 0x40).subarray(2))).toEqual(Buffer.from(refused))
})
