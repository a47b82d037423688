import { expect, test } from 'vitest'
import { Cjt188Meter } from '../../../hardware-sim/cjt188-meter.ts'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { Dlt645Meter } from '../../../hardware-sim/dlt645-meter.ts'
import { ModbusMeter } from '../../../hardware-sim/modbus-meter.ts'
import { parseScenario, type ScenarioMeter } from '../../../hardware-sim/scenario.ts'
import { makeLineMeter, makeModbusMeter } from '../../../hardware-sim/scenario-meter.ts'
import { SETTINGS_9600 } from './parts.ts'
import { cjt188, dlt645, saidBy188, saidBy645 } from './summed.ts'

const ELECTRIC = {
  id: 'test/electric',
  protocol: 'dlt645',
  points: [{ point: 'energy_import', unit: 'kWh', identifier: '0001ff00', bytes: 4, decimals: 2 }],
}
const WATER = {
  id: 'test/water',
  protocol: 'cjt188',
  type: '10',
  points: [{ point: 'volume', unit: 'm³', bytes: 4, decimals: 2, unitAt: 4 }],
}
const around = { clock: new VirtualClock(), seed: 1, settings: SETTINGS_9600 }

function described(meter: object): ScenarioMeter {
  return parseScenario(JSON.stringify({ lines: [{ id: 'l', meters: [{ id: 'm', ...meter }] }] })).lines[0]!.meters[0]!
}

test('the profile says what a meter is', () => {
  expect(makeLineMeter(described({ address: 1 }), around)).toBeInstanceOf(ModbusMeter)
  const electric = makeLineMeter(described({ address: '202107072529', profile: ELECTRIC }), around)
  expect(electric).toBeInstanceOf(Dlt645Meter)
  const water = makeLineMeter(described({ address: '78330011223344', profile: WATER }), around)
  expect(water).toBeInstanceOf(Cjt188Meter)
  expect([electric.turnaroundMs, water.turnaroundMs, electric.settings]).toEqual([20, 20, undefined])
})

test('what a meter’s own settings leave out is as on the line', () => {
  const meter = described({ address: 1, serial: { baud: 2400, parity: 'even' }, turnaroundMs: 7 })
  const made = makeLineMeter(meter, around)
  expect(made.settings).toEqual({ baud: 2400, dataBits: 8, parity: 'even', stopBits: 1 })
  expect(made.turnaroundMs).toBe(7)
})

test('what is said of a meter of DL/T 645 reaches it', () => {
  const options = { wakeBytes: 1, frameBytesMax: 3, password: '04123456', setWithin: '5m' }
  const meter = makeLineMeter(described({ address: '202107072529', profile: ELECTRIC, ...options }), around)
  const say = (control: string, data: string, address = '29 25 07 07 21 20') =>
    meter.answer(dlt645(address, control, data))
  expect(say('11', '00 ff 01 00')!.indexOf(0x68)).toBe(1)
  expect(saidBy645(say('11', '00 ff 01 00'))).toMatch(/^b100ff0100.{6}$/)
  expect(saidBy645(say('14', '01 01 00 04 04 563412 00000000 01 23 11 26'))).toBe('94')
  expect((meter as Dlt645Meter).clock.text.slice(0, 10)).toBe('2026-11-23')
  say('08', '00 00 00 01 01 27', '99 99 99 99 99 99')
  expect((meter as Dlt645Meter).clock.text.slice(0, 10)).toBe('2026-11-23')
})

test('what is said of a meter of CJ/T 188 reaches it', () => {
  const options = { wakeBytes: 0, ownOrderOnly: true, zeroSer: true }
  const meter = makeLineMeter(described({ address: '78330011223344', profile: WATER, ...options }), around)
  const say = (data: string) => meter.answer(cjt188('10 44 33 22 11 00 33 78', '01', data))
  expect(say('90 1f 05')!.indexOf(0x68)).toBe(0)
  expect(saidBy188(say('90 1f 05'))).toMatch(/^81901f00/)
  expect(say('1f 90 05')).toBe(undefined)
})

test.each([
  ['a unit for a number', { address: 1, profile: ELECTRIC }, '12 digits'],
  ['too many digits', { address: '78330011223344', profile: ELECTRIC }, '12 digits'],
  ['too few digits', { address: '202107072529', profile: WATER }, '14 digits'],
  ['a number for a unit', { address: '202107072529' }, 'a unit from 1 to 247'],
])('%s is told', (_what, meter, message) => {
  expect(() => makeLineMeter(described(meter), around)).toThrow(message)
})

test('behind a host of Modbus TCP there is nothing else', () => {
  expect(makeModbusMeter(described({ address: 1 }), around).unit).toBe(1)
  const electric = described({ address: '202107072529', profile: ELECTRIC })
  expect(() => makeModbusMeter(electric, around)).toThrow('m: test/electric speaks dlt645')
})
