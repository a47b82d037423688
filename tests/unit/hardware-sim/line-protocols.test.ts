import { expect, test } from 'vitest'
import type { SerialSettings } from '../../../gateway/contract/io.ts'
import { Cjt188Meter } from '../../../hardware-sim/cjt188-meter.ts'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { Dlt645Meter } from '../../../hardware-sim/dlt645-meter.ts'
import type { InjectedFault } from '../../../hardware-sim/fault.ts'
import { parseCjt188Profile, parseDlt645Profile } from '../../../hardware-sim/profile.ts'
import { seededRandom } from '../../../hardware-sim/random.ts'
import { SimulatedLine } from '../../../hardware-sim/simulated-line.ts'
import { hex, meterOn, SETTINGS_9600 } from './parts.ts'
import { cjt188, dlt645 } from './summed.ts'

const SETTINGS_2400: SerialSettings = { baud: 2400, dataBits: 8, parity: 'even', stopBits: 1 }
const SETTINGS_1200: SerialSettings = { ...SETTINGS_2400, baud: 1200 }
const ELECTRIC = parseDlt645Profile({
  id: 'test/electric',
  protocol: 'dlt645',
  points: [{ point: 'energy_import', unit: 'kWh', identifier: '00010000', bytes: 4, decimals: 2 }],
})
const WATER = parseCjt188Profile({
  id: 'test/water',
  protocol: 'cjt188',
  type: '10',
  points: [{ point: 'volume', unit: 'm³', identifier: 'd120', bytes: 4, decimals: 2, unitAt: 4 }],
})
const ASK_MODBUS = hex('01 03 00 64 00 02 85 D4')
const ASK_ELECTRIC = dlt645('29 25 07 07 21 20', '11', '00 00 01 00')
const ASK_WATER = cjt188('10 44 33 22 11 00 33 78', '01', 'd1 20 05')
const TOLD_ELECTRIC = dlt645('29 25 07 07 21 20', '91', '00 00 01 00 56 34 12 00')
const TOLD_WATER = cjt188('10 44 33 22 11 00 33 78', '81', 'd1 20 05 78 56 00 00 2c')

function lineOfThree() {
  const clock = new VirtualClock()
  const simulated = new SimulatedLine({ clock, random: seededRandom(7), settings: SETTINGS_9600 })
  const common = { clock, wakeBytes: 0 }
  const [electric, water] = [
    { id: 'electric', address: '202107072529' },
    { id: 'water', address: '78330011223344' },
  ]
  simulated.line.attach(meterOn(clock, { unit: 1, settings: SETTINGS_9600 }))
  const kilowattHours = { profile: ELECTRIC, settings: SETTINGS_2400, value: () => 1234.56 }
  simulated.line.attach(new Dlt645Meter({ ...electric, ...common, ...kilowattHours }))
  const cubicMetres = { profile: WATER, settings: SETTINGS_1200, value: () => 56.78 }
  simulated.line.attach(new Cjt188Meter({ ...water, ...common, ...cubicMetres }))
  const wire = simulated.open()
  const ask = async (request: Uint8Array, settings: SerialSettings, forMs = 1000): Promise<Uint8Array> => {
    await wire.configure(settings)
    await wire.write(request)
    await clock.advance(forMs)
    return Uint8Array.from(await wire.read(1, 0))
  }
  return { simulated, ask }
}

test('three protocols at three speeds: each hears its own', async () => {
  const { simulated, ask } = lineOfThree()
  expect(await ask(ASK_ELECTRIC, SETTINGS_2400)).toEqual(TOLD_ELECTRIC)
  expect(await ask(ASK_WATER, SETTINGS_1200)).toEqual(TOLD_WATER)
  expect(await ask(ASK_MODBUS, SETTINGS_9600)).toEqual(hex('01 03 04 00 64 00 65 7B C7'))
  expect(await ask(ASK_ELECTRIC, SETTINGS_1200)).toEqual(hex(''))
  expect(await ask(ASK_WATER, SETTINGS_2400)).toEqual(hex(''))
  expect(await ask(ASK_ELECTRIC, { ...SETTINGS_2400, parity: 'none' })).toEqual(hex(''))
  expect(simulated.line.statistics().answersByMeter).toEqual({ electric: 1, water: 1, 'meter-1': 1 })
})

test('none takes a frame of another protocol for its own, at the same speed', async () => {
  const { ask } = lineOfThree()
  expect(await ask(ASK_WATER, SETTINGS_9600)).toEqual(hex(''))
  expect(await ask(ASK_MODBUS, SETTINGS_2400)).toEqual(hex(''))
  expect(await ask(ASK_MODBUS, SETTINGS_1200)).toEqual(hex(''))
})

test('a request behind noise is heard', async () => {
  const { ask } = lineOfThree()
  const noise = hex('00 68 fe 16 68')
  expect(await ask(Uint8Array.of(...noise, ...ASK_ELECTRIC), SETTINGS_2400)).toEqual(TOLD_ELECTRIC)
  expect(await ask(Uint8Array.of(...noise, ...ASK_WATER), SETTINGS_1200)).toEqual(TOLD_WATER)
})

const meters = [
  { meter: 'electric', request: ASK_ELECTRIC, told: TOLD_ELECTRIC, settings: SETTINGS_2400 },
  { meter: 'water', request: ASK_WATER, told: TOLD_WATER, settings: SETTINGS_1200 },
]

const changed: readonly (readonly [InjectedFault, (told: Uint8Array) => Uint8Array | undefined])[] = [
  [{ kind: 'silence' }, () => hex('')],
  [{ kind: 'wrong-check' }, (told) => told.with(-2, told.at(-2)! ^ 0x40)],
  [{ kind: 'half' }, (told) => told.subarray(0, told.length >> 1)],
  [{ kind: 'half', restAfterMs: 100 }, (told) => told],
  [{ kind: 'late', byMs: 300 }, (told) => told],
  [{ kind: 'late', byMs: 2000 }, () => hex('')],
  [{ kind: 'refuse', code: 4, times: 1 }, () => undefined],
  [{ kind: 'wrong-unit', unit: 0x99 }, () => undefined],
]
const refusals: Readonly<Record<string, Uint8Array>> = {
  'refuse electric': dlt645('29 25 07 07 21 20', 'd1', '04'),
  'refuse water': cjt188('10 44 33 22 11 00 33 78', 'c1', '05 04 00'),
  'wrong-unit electric': dlt645('99 25 07 07 21 20', '91', '00 00 01 00 56 34 12 00'),
  'wrong-unit water': cjt188('10 99 33 22 11 00 33 78', '81', 'd1 20 05 78 56 00 00 2c'),
}
const cases = meters.flatMap((one) => changed.map(([fault, heard]) => ({ ...one, fault, heard, kind: fault.kind })))

test.each(cases)('$meter: $kind', async ({ meter, request, told, settings, fault, heard, kind }) => {
  const { simulated, ask } = lineOfThree()
  simulated.line.setFault(meter, fault)
  expect(await ask(request, settings)).toEqual(heard(told) ?? refusals[`${kind} ${meter}`])
})
