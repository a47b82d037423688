import { expect, test } from 'vitest'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { Dlt645Meter, type Dlt645MeterOptions } from '../../../hardware-sim/dlt645-meter.ts'
import { parseDlt645Profile } from '../../../hardware-sim/profile.ts'
import { dlt645, saidBy645, summed } from './summed.ts'

const WIRE = '29 25 07 07 21 20'
const EVERYBODY = '99 99 99 99 99 99'
/** Monday 2026-11-23, 12:30:00 in China. */
const NOON_MS = Date.UTC(2026, 10, 23, 4, 30)

const energy = { unit: 'kWh', bytes: 4, decimals: 2 }
const PROFILE = parseDlt645Profile({
  id: 'test/dlt645',
  protocol: 'dlt645',
  points: [
    { point: 'energy_import', identifier: '00010000', ...energy },
    ...[1, 2, 3, 4].map((t) => ({ point: `energy_import_t${t}`, identifier: `00010${t}00`, ...energy })),
    { point: 'voltage_l1', identifier: '0201ff00', unit: 'V', bytes: 2, decimals: 1 },
    { point: 'voltage_l2', identifier: '0201ff00', unit: 'V', bytes: 2, decimals: 1, at: 2 },
    { point: 'current_l1', identifier: '02020100', unit: 'A', bytes: 3, decimals: 3, signed: true },
    { point: 'power', identifier: '02030000', unit: 'W', bytes: 3, decimals: 4, scale: 1000, signed: true },
    { point: 'meter_number', identifier: '04000402', bytes: 6, as: 'digits' },
    { point: 'battery_low', identifier: '04000501', bytes: 2, as: 'bit', bit: 2 },
    { point: 'clock_faulty', identifier: '04000501', bytes: 2, as: 'bit', bit: 12 },
    { point: 'relay_open', identifier: '04000503', bytes: 2, as: 'bit', bit: 4 },
    { point: 'long', identifier: '06000001', bytes: 7 },
  ],
})

function meterWith(options: Partial<Dlt645MeterOptions> = {}) {
  const clock = new VirtualClock(NOON_MS)
  const meter = new Dlt645Meter({ id: 'm', address: '202107072529', profile: PROFILE, clock, ...options })
  const say = (control: string, data = '', address = WIRE) => saidBy645(meter.answer(dlt645(address, control, data)))
  /** The data behind the identifier, which is given as it is printed. */
  const read = (identifier: string): string | undefined => {
    const wire = Buffer.from(identifier, 'hex').reverse().toString('hex')
    return say('11', wire)?.replace(new RegExp(`^91${wire}`), '')
  }
  const number = (identifier: string) => Number(Buffer.from(read(identifier)!, 'hex').reverse().toString('hex'))
  return { clock, meter, say, read, number }
}

test.each([
  ['its own address', WIRE, true],
  ['whoever is there', 'aa aa aa aa aa aa', true],
  ['the low half of its address', '29 25 07 aa aa aa', true],
  ['the high half of its address', 'aa aa aa 07 21 20', false],
  ['another low half', '28 25 07 aa aa aa', false],
  ['another address', '28 25 07 07 21 20', false],
  ['everybody', EVERYBODY, false],
])('asked for %s', (_who, address, isAnswered) => {
  const { say } = meterWith()
  expect(say('11', '00 ff 01 02', address) !== undefined).toBe(isAnswered)
})

test('only for reading may the address be anybody’s', () => {
  const { say, meter } = meterWith()
  const trip = '02 000000 00000000 1a 00 00 35 12 23 11 26'
  expect(say('1c', trip, 'aa aa aa aa aa aa')).toBe(undefined)
  expect(say('16', '99 99 99 99', 'aa aa aa aa aa aa')).toBe(undefined)
  expect([meter.relayOpen, meter.freezes]).toEqual([false, []])
})

test('a wrong sum, no end, no second 68 and an answer are no request', () => {
  const { meter } = meterWith()
  const right = dlt645(WIRE, '11', '00 00 01 00')
  expect(meter.answer(right)).not.toBe(undefined)
  expect(meter.answer(right.with(-2, right.at(-2)! ^ 1))).toBe(undefined)
  expect(meter.answer(right.with(-1, 0x17))).toBe(undefined)
  expect(meter.answer(dlt645(WIRE, '91', '00 00 01 00'))).toBe(undefined)
  expect(meter.answer(summed('68 29 25 07 07 21 20 00 11 04 33 33 34 33'))).toBe(undefined)
  expect(meter.answer(new Uint8Array(0))).toBe(undefined)
})

test.each([
  ['no identifier', '11', '00 00 01', 'd101'],
  ['an identifier that is not there', '11', '00 00 ff 00', 'd102'],
  ['a load record', '11', '01 00 00 06 05', 'd101'],
  ['a function that it has not', '1b', '', 'db01'],
  ['the time, which is for everybody', '08', '00 30 12 23 11 26', 'c801'],
])('%s is refused', (_what, control, data, answer) => {
  expect(meterWith().say(control, data)).toBe(answer)
})

test.each([
  { wakeBytes: 0, begins: '68' },
  { wakeBytes: 2, begins: 'fefe68' },
  { wakeBytes: undefined, begins: 'fefefefe68' },
])('an answer begins with $begins', ({ wakeBytes, begins }) => {
  const { meter } = meterWith(wakeBytes === undefined ? {} : { wakeBytes })
  const answer = Buffer.from(meter.answer(dlt645(WIRE, '13'))!).toString('hex')
  expect(answer.slice(0, begins.length + 18)).toBe(`${begins}292507072120689306`)
})

test('values come from the load: tariffs make up the whole, energy is what power makes', async () => {
  const { clock, meter, number } = meterWith()
  expect(number('00010000')).toBe(Math.round(meter.load.energyKwh() * 100))
  const parts = ['00010100', '00010200', '00010300', '00010400'].map(number)
  const sum = parts.reduce((a, b) => a + b, 0)
  expect(Math.abs(sum - number('00010000'))).toBeLessThanOrEqual(2)
  expect(new Set(parts).size).toBe(4)
  // XX.XXXX kW
  expect(number('02030000') / 10).toBeCloseTo(meter.load.powerW(), 0)
  const before = number('00010000')
  await clock.advance(3_600_000)
  expect(number('00010000')).toBeGreaterThan(before)
})

test('points that stand side by side make one block', () => {
  const { read } = meterWith({ value: (point) => ({ voltage_l1: 231.4, voltage_l2: 0.5 })[point] })
  expect(read('0201ff00')).toBe('14230500')
})

test.each([
  ['not measured', null, 'ffffff'],
  ['backwards', -1.5, '001580'],
  ['next to nothing backwards', -0.0001, '000000'],
  ['more than there is room for', 9999, '999979'],
])('a current that is %s', (_what, value, bytes) => {
  expect(meterWith({ value: () => value }).read('02020100')).toBe(bytes)
})

test('what has no sign is never below zero', () => {
  expect(meterWith({ value: () => -12.34 }).read('00010000')).toBe('00000000')
})

test('a counter that is full begins anew', () => {
  expect(meterWith({ value: () => 1_000_000.01 }).read('00010000')).toBe('01000000')
})

test('bits of a status word, and digits of its number', () => {
  const { read } = meterWith({ value: (point) => (point === 'clock_faulty' ? 1 : undefined) })
  expect(read('04000501')).toBe('0010')
  expect(read('04000402')).toBe('292507072120')
  expect(read('04000401')).toBe('292507072120')
})

test('a long value comes in frames with a number, and stays as it was while they are fetched', () => {
  let value = 11_22_33_44_55_66_77
  const { say } = meterWith({ frameBytesMax: 3, value: () => value })
  const FOLLOW = '01 00 00 06'
  expect(say('12', `${FOLLOW} 01`)).toBe('d202')
  expect(say('11', FOLLOW)).toBe('b101000006776655')
  value = 0
  expect(say('12', `${FOLLOW} 01`)).toBe('b20100000644332201')
  expect(say('12', `${FOLLOW} 01`)).toBe('b20100000644332201')
  expect(say('12', `${FOLLOW} 02`)).toBe('92010000061102')
  for (const wrong of [`${FOLLOW} 00`, `${FOLLOW} 03`, FOLLOW, '00 00 01 00 01']) expect(say('12', wrong)).toBe('d202')
  expect(say('11', '00 ff 01 02')).toMatch(/^b1/)
  expect(say('12', `${FOLLOW} 01`)).toBe('d202')
})

test('the time for everybody sets the clock, which goes on from there', async () => {
  const { clock, meter, read, say } = meterWith()
  expect(say('08', '30 59 23 31 12 26', EVERYBODY)).toBe(undefined)
  expect(meter.clock.text).toBe('2026-12-31 23:59:30')
  await clock.advance(45_000)
  // Friday, 2027-01-01 00:00:15.
  expect([read('04000101'), read('04000102')]).toEqual(['05010127', '150000'])
  // Setting the clock of this machine does not turn it.
  clock.jumpWall(3_600_000)
  expect(read('04000102')).toBe('150000')
})

test.each([
  ['the 31st of February', '00 00 00 31 02 26'],
  ['no digits', 'aa 00 00 01 02 26'],
  ['a year too few', '00 00 00 01 02'],
  ['years first', '26 02 01 00 00 00'],
])('%s is no time, and the clock goes on', (_what, data) => {
  const { meter, say } = meterWith()
  say('08', data, EVERYBODY)
  expect(meter.clock.text).toBe('2026-11-23 12:30:00')
})

test('a meter that takes the time only within five minutes', () => {
  const { meter, say } = meterWith({ setWithinMs: 300_000 })
  say('08', '01 35 12 23 11 26', EVERYBODY)
  expect(meter.clock.text).toBe('2026-11-23 12:30:00')
  say('08', '00 35 12 23 11 26', EVERYBODY)
  expect(meter.clock.text).toBe('2026-11-23 12:35:00')
})

test('with the password the date and the time can be written, and nothing else', () => {
  const { meter, read, say } = meterWith({ password: '04123456' })
  const allowed = '04 563412 00000000'
  // It knows better than 05 that this is a Tuesday.
  expect(say('14', `01 01 00 04 ${allowed} 05 24 11 26`)).toBe('94')
  expect(read('04000101')).toBe('02241126')
  expect(say('14', `02 01 00 04 ${allowed} 05 00 08`)).toBe('94')
  expect(meter.clock.text).toBe('2026-11-24 08:00:05')
  expect(say('14', `01 01 00 04 02 563412 00000000 01 23 11 26`)).toBe('d404')
  expect(say('14', `01 01 00 04 04 000000 00000000 01 23 11 26`)).toBe('d404')
  expect(say('14', '01 01 00 04')).toBe('d404')
  for (const other of ['00 00 01 00', '01 04 00 04', '03 05 00 04']) {
    expect(say('14', `${other} ${allowed} 00 00 00 00`)).toBe('d404')
  }
  expect(say('14', `00 00 ff 00 ${allowed} 00 00 00 00`)).toBe('d402')
  expect(say('14', `01 01 00 04 ${allowed} 01 31 02 26`)).toBe('d401')
  expect(meter.clock.text).toBe('2026-11-24 08:00:05')
})

test('the relay: its state can be read, nothing is drawn while it is open, the register goes on from where it stood', async () => {
  const { clock, meter, read, number, say } = meterWith()
  const until = '00 35 12 23 11 26'
  expect(read('04000503')).toBe('0000')
  expect(say('1c', `02 000000 00000000 1a 00 ${until}`)).toBe('9c')
  expect([meter.relayOpen, read('04000503'), number('02030000')]).toEqual([true, '5000', 0])
  const stood = number('00010000')
  await clock.advance(240_000)
  expect(number('00010000')).toBe(stood)
  expect(say('1c', `02 000000 00000000 1c 00 ${until}`)).toBe('9c')
  expect([meter.relayOpen, read('04000503'), number('00010000')]).toEqual([false, '0000', stood])
  await clock.advance(3_600_000)
  expect(number('00010000')).toBeGreaterThan(stood)
})

test.each([
  ['a second too late by the clock of the meter', '02 000000 00000000 1a 00 59 29 12 23 11 26', 'dc01'],
  ['until no time', '02 000000 00000000 1a 00 00 00 00 00 00 00', 'dc01'],
  ['without a time', '02 000000 00000000 1a 00', 'dc01'],
  ['one byte too many', '02 000000 00000000 1a 00 00 00 35 12 23 11 26', 'dc01'],
  ['another password', '02 000001 00000000 1a 00 00 35 12 23 11 26', 'dc04'],
  ['another level', '04 000000 00000000 1a 00 00 35 12 23 11 26', 'dc04'],
  ['another command', '02 000000 00000000 2a 00 00 35 12 23 11 26', 'dc01'],
])('the relay stays closed: %s', (_why, data, answer) => {
  const { meter, say } = meterWith()
  expect(say('1c', data)).toBe(answer)
  expect(meter.relayOpen).toBe(false)
})

test('a freeze is confirmed by one and obeyed by all', () => {
  const { meter, say } = meterWith()
  expect(say('16', '99 99 99 99')).toBe('96')
  expect(say('16', '00 00 01 99', EVERYBODY)).toBe(undefined)
  expect(say('16', '99 99')).toBe('d601')
  expect(meter.freezes).toEqual(['99999999', '00000199'])
})

test('the 1997 edition: its own codes, identifiers of two bytes, date and time, no relay', () => {
  const points = [{ point: 'energy_import', identifier: '9010', ...energy }]
  const profile = parseDlt645Profile({ id: 'test/1997', protocol: 'dlt645', edition: '1997', points })
  const { meter, say } = meterWith({ profile, value: () => 1234.56, frameBytesMax: 2 })
  expect(say('01', '10 90')).toBe('81109056341200')
  expect(say('01', '11 90')).toBe('c102')
  expect(say('01', '10 c0')).toBe('8110c001231126')
  expect(say('01', '11 c0')).toBe('8111c0003012')
  expect(say('11', '00 00 01 00')).toBe('d101')
  expect(say('1c', '02 000000 00000000 1a 00 00 35 12 23 11 26')).toBe('dc01')
  say('08', '00 00 00 01 01 27', EVERYBODY)
  expect(meter.clock.text).toBe('2027-01-01 00:00:00')
})

test('the answer of another with a right sum, and a refusal with any code', () => {
  const { meter } = meterWith({ wakeBytes: 1 })
  const request = dlt645(WIRE, '13')
  const disguised = meter.disguise(meter.answer(request)!, 0x68)
  const own = '29 25 07 07 21 20'
  expect(Buffer.from(disguised.subarray(1))).toEqual(Buffer.from(dlt645('68 25 07 07 21 20', '93', own)))
  expect(Buffer.from(meter.refuse(request, 0x40).subarray(1))).toEqual(Buffer.from(dlt645(WIRE, 'd3', '40')))
})
