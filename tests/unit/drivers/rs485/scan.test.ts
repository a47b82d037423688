import { expect, test } from 'vitest'
import { rs485 } from '../../../../drivers/rs485/rs485.ts'
import { TRIALS, trialMs } from '../../../../drivers/rs485/scan/trials.ts'
import type { Found, Probed, View } from '../../../../gateway/contract/driver.ts'
import type { Io } from '../../../../gateway/contract/io.ts'
import type { Log } from '../../../../gateway/contract/log.ts'
import { Cjt188Meter } from '../../../../hardware-sim/cjt188-meter.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { Dlt645Meter } from '../../../../hardware-sim/dlt645-meter.ts'
import { ModbusMeter } from '../../../../hardware-sim/modbus-meter.ts'
import { parseCjt188Profile, parseDlt645Profile, parseModbusProfile } from '../../../../hardware-sim/profile.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'
import { SimulatedLine, simulatedSerial } from '../../../../hardware-sim/simulated-line.ts'

const common = { maker: 'Test', source: 'the test itself' }
const electric = (id: string, from: number, more: object = {}) => ({
  ...common,
  id,
  model: id.split('/')[1],
  protocol: 'modbus',
  points: [
    { point: 'voltage', unit: 'V', table: 'input', address: from, as: 'float32' },
    { point: 'frequency', unit: 'Hz', table: 'input', address: from + 70, as: 'float32' },
  ],
  samples: [{ words: { [from]: '4366 8000' }, expect: { voltage: 230.5 } }],
  ...more,
})
const PROFILES: Readonly<Record<string, object>> = {
  'test/near': electric('test/near', 0),
  'test/far': electric('test/far', 2000),
  'test/single': {
    ...common,
    id: 'test/single',
    model: 'single',
    protocol: 'dlt645',
    points: [
      { point: 'voltage', unit: 'V', identifier: '02010100', bytes: 2, decimals: 1 },
      { point: 'energy_import', unit: 'kWh', identifier: '00010000', bytes: 4, decimals: 2, kind: 'counter' },
    ],
    samples: [{ identifier: '02010100', data: '01 23', expect: { voltage: 230.1 } }],
  },
  'test/water': {
    ...common,
    id: 'test/water',
    model: 'water',
    protocol: 'cjt188',
    type: '10',
    answers: { '901f': 19 },
    points: [{ point: 'volume', unit: 'm3', bytes: 4, decimals: 2, unitAt: 4, kind: 'counter' }],
    samples: [{ data: '56 34 12 00 2c', expect: { volume: 1234.56 } }],
  },
  'test/heat': {
    ...common,
    id: 'test/heat',
    model: 'heat',
    protocol: 'cjt188',
    type: '20',
    answers: { '901f': 43 },
    points: [{ point: 'volume', unit: 'm3', at: 20, bytes: 4, decimals: 2, kind: 'counter' }],
    samples: [{ data: '56', expect: { volume: 0 } }],
  },
}

const framed = (baud: number, parity: 'none' | 'even') => ({ baud, dataBits: 8, parity, stopBits: 1 }) as const

function site() {
  const clock = new VirtualClock()
  const line = new SimulatedLine({ clock, random: seededRandom(7), settings: framed(9600, 'none') })
  const modbus = (unit: number, settings: ReturnType<typeof framed>, profile = 'test/near') =>
    line.line.attach(
      new ModbusMeter({
        id: `unit-${unit}`,
        unit,
        profile: parseModbusProfile(PROFILES[profile]),
        clock,
        settings,
        strictAddresses: true,
        value: (point) => ({ voltage: 231, frequency: 50 })[point],
      }),
    )
  const dlt645 = (address: string, settings = framed(2400, 'even')) =>
    line.line.attach(
      new Dlt645Meter({ id: address, address, profile: parseDlt645Profile(PROFILES['test/single']), clock, settings }),
    )
  const cjt188 = (address: string, settings = framed(2400, 'even')) =>
    line.line.attach(
      new Cjt188Meter({ id: address, address, profile: parseCjt188Profile(PROFILES['test/water']), clock, settings }),
    )
  const ending = new AbortController()
  const io = {
    serial: simulatedSerial(new Map([['/dev/line', line]])),
    profiles: { load: async (reference: string) => PROFILES[reference], list: async () => Object.keys(PROFILES) },
  } as unknown as Io
  const options = rs485.options.parse({ rs485: { port: '/dev/line' } })
  const found: Found[] = []
  const steps: Extract<Probed, { kind: 'progress' }>[] = []
  const search = async (): Promise<void> => {
    for await (const step of rs485.probe!({ options, signal: ending.signal, clock, io, patience: 1 })) {
      if (step.kind === 'found') found.push(step.device)
      else steps.push(step)
    }
  }
  /** Until it is over, or as long as told. */
  const run = async (forMs = 3_600_000): Promise<void> => {
    let over = false
    const running = search().finally(() => {
      over = true
    })
    for (let ms = 0; ms < forMs && !over; ms += 5000) await clock.advance(5000)
    if (!over) return void running.catch(() => undefined)
    await running
  }
  return { clock, line, io, modbus, dlt645, cjt188, found, steps, run, ending }
}

const told = ({ protocol, address, serial, profile }: Found) =>
  `${protocol} ${address} at ${serial?.baud} ${serial?.parity}: ${profile}`

test('five devices of three protocols at three speeds are found, each with its model', async () => {
  const parts = site()
  parts.modbus(1, framed(9600, 'none'))
  parts.modbus(5, framed(9600, 'none'), 'test/far')
  parts.modbus(3, framed(19_200, 'even'))
  parts.dlt645('202107072529')
  parts.cjt188('78330011223344')
  await parts.run()
  expect(parts.found.map(told)).toEqual([
    'dlt645 202107072529 at 2400 even: test/single',
    'cjt188 78330011223344 at 2400 even: test/water',
    'modbus 1 at 9600 none: test/near',
    'modbus 5 at 9600 none: test/far',
    'modbus 3 at 19200 even: test/near',
  ])
  expect(parts.line.line.statistics().gapViolations).toBe(0)
})

test('several electricity meters speak at once and are told apart by their last digits', async () => {
  const parts = site()
  for (const address of ['202107072529', '202107072530', '202107082530']) parts.dlt645(address)
  await parts.run()
  expect(parts.found.map(told).sort()).toEqual([
    'dlt645 202107072529 at 2400 even: test/single',
    'dlt645 202107072530 at 2400 even: test/single',
    'dlt645 202107082530 at 2400 even: test/single',
  ])
})

test('water meters that speak at once are told as what they are', async () => {
  const parts = site()
  parts.cjt188('78330011223344')
  parts.cjt188('78330011223345')
  await parts.run()
  expect(parts.found).toHaveLength(1)
  expect(parts.found[0]).toMatchObject({ protocol: 'cjt188', address: '', note: expect.stringContaining('one by one') })
})

test('a device that no profile fits is found all the same', async () => {
  const parts = site()
  parts.line.line.attach(
    new ModbusMeter({
      id: 'odd',
      unit: 7,
      profile: parseModbusProfile(electric('test/odd', 5000)),
      clock: parts.clock,
      settings: framed(9600, 'none'),
      strictAddresses: true,
    }),
  )
  await parts.run()
  expect(parts.found).toEqual([
    {
      protocol: 'modbus',
      address: '7',
      serial: framed(9600, 'none'),
      note: 'no profile fits: `linli profiles` lists those that there are',
    },
  ])
})

test('the estimate is honest: with nobody there it takes as long as it says at the begin', async () => {
  const parts = site()
  const begunMs = parts.clock.monoMs()
  await parts.run()
  const first = parts.steps[0]!
  const tookMs = parts.clock.monoMs() - begunMs
  const saidMs = TRIALS.reduce((sum, trial) => sum + trialMs(trial, 1), 0)
  expect(first.leftMs).toBeLessThanOrEqual(saidMs)
  expect(Math.abs(tookMs - saidMs) / saidMs).toBeLessThan(0.05)
  const parts01 = parts.steps.map(({ part }) => part)
  expect(parts01).toEqual(parts01.toSorted((a, b) => a - b))
  expect(parts01.at(-1)).toBeCloseTo(1, 6)
})

test('it ends in the middle, and what was found stays', async () => {
  const parts = site()
  parts.modbus(1, framed(9600, 'none'))
  await parts.run(20_000)
  expect(parts.found).toHaveLength(1)
  const asked = parts.line.line.statistics().requests
  parts.ending.abort(new Error('enough'))
  await parts.clock.advance(60_000)
  expect(parts.line.line.statistics().requests - asked).toBeLessThanOrEqual(1)
})

test('a line in use is searched in turns with its polling, by one at a time', async () => {
  const parts = site()
  parts.modbus(1, framed(9600, 'none'))
  parts.modbus(5, framed(9600, 'none'), 'test/far')
  const views = new Map<string, View>()
  const polled: number[] = []
  const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }
  const device = { id: 'meter', profile: 'test/near', address: 1, every: '1s' }
  const running = rs485.run({
    connection: 'line-1',
    options: rs485.options.parse({ rs485: { port: '/dev/line' }, devices: [device] }),
    signal: parts.ending.signal,
    clock: parts.clock,
    log: silent,
    io: parts.io,
    emit: async (batch) => void polled.push(...batch.map(({ monoMs }) => monoMs)),
    mark: () => undefined,
    serve: () => undefined,
    show: (name, view) => void views.set(name, view as View),
    keep: (_name, make) => make(),
    lastReading: () => undefined,
    figures: () => undefined,
  })
  await parts.clock.advance(1500)
  const found: string[] = []
  const view = views.get('scan')!
  const enough = new AbortController()
  const parameters = view.parameters.parse({})
  const searching = (async () => {
    for await (const step of view.look(parameters, enough.signal) as AsyncIterable<Probed>) {
      if (step.kind === 'found') found.push(told(step.device))
    }
  })()
  await parts.clock.advance(20_000)
  expect(() => view.look(parameters, enough.signal)).toThrow('searched already')
  expect(found).toEqual(['modbus 1 at 9600 none: test/near', 'modbus 5 at 9600 none: test/far'])
  // A second is the interval; before each of the two blocks a question of the search may go first, of 0.8 s at the most.
  const pauses = polled.slice(1).map((ms, at) => ms - polled[at]!)
  expect(polled.length).toBeGreaterThan(17)
  expect(Math.max(...pauses)).toBeLessThan(2700)
  enough.abort(new Error('enough'))
  await parts.clock.advance(2000)
  await searching
  expect(view.look(parameters, enough.signal)).toBeDefined()
  parts.ending.abort(new Error('over'))
  await parts.clock.advance(100)
  await running.catch(() => undefined)
})
