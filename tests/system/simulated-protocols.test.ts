import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SerialPort } from 'serialport'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { seededRandom } from '../../hardware-sim/random.ts'
import { parseScenario } from '../../hardware-sim/scenario.ts'
import { World } from '../../hardware-sim/world.ts'
import { hex, show } from '../hex.ts'
import { clock, closeClient, foreignClient, SMALL_PROFILE } from './sim-parts.ts'

/*
 * Three protocols at three speeds on two wires, asked by serialport with frames that were published or laid out by hand
 * (tests/golden names where each is from), and by modbus-serial.
 */
const ELECTRIC = {
  id: 'test/electric',
  protocol: 'dlt645',
  points: [{ point: 'energy_import', unit: 'kWh', identifier: '00010000', bytes: 4, decimals: 2 }],
}
const WATER = {
  id: 'test/water',
  protocol: 'cjt188',
  type: '10',
  answers: { '901f': 19 },
  points: [{ point: 'volume', unit: 'm³', bytes: 4, decimals: 2, unitAt: 4 }],
}
const METERS = [
  { id: 'even', address: '000000000162', profile: ELECTRIC, serial: { parity: 'even' } },
  { id: 'modbus', address: 1, profile: SMALL_PROFILE, serial: { baud: 9600 } },
  { id: 'electric', address: '202107072529', profile: ELECTRIC, serial: { baud: 2400, parity: 'even' } },
  { id: 'water', address: '78330011223344', profile: WATER, serial: { baud: 1200, parity: 'even' } },
  { id: 'two-stops', address: '000000000161', profile: ELECTRIC, serial: { baud: 2400, stopBits: 2 } },
]
const READ_ELECTRIC = 'fe fe fe fe 68 29 25 07 07 21 20 68 11 04 33 33 34 33 4f 16'
const READ_161 = '68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16'
const READ_162 = '68 62 01 00 00 00 00 68 11 04 33 33 34 33 15 16'
const READ_WATER = '68 10 44 33 22 11 00 33 78 01 03 90 1f 00 80 16'
/** How long an answer may take to begin and to come: the longest one has 37 characters of 11 bits at 1200 baud. */
const ANSWER_MS = 1500

let folder: string
let world: World

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linli-test-'))
  const scenario = parseScenario(JSON.stringify({ broker: false, lines: [{ id: 'line', meters: METERS }] }))
  world = await World.start({ scenario, folder, clock, random: seededRandom(1) })
})
afterEach(async () => {
  await world.close()
  rmSync(folder, { recursive: true, force: true })
})

test('each meter answers at its own speed, and takes as long as its characters do', async () => {
  const electric = await asked(READ_ELECTRIC, { baudRate: 2400, parity: 'even' }, 24)
  expect(electric.answer).toMatch(/^fe fe fe fe 68 29 25 07 07 21 20 68 91 08 33 33 34 33 .. .. .. .. .. 16$/)
  // 20 + 24 characters of 11 bits and 20 ms of thought.
  expect(electric.tookMs).toBeGreaterThan((44 * 11_000) / 2400 + 20 - 1)
  const water = await asked(READ_WATER, { baudRate: 1200, parity: 'even' }, 39)
  expect(water.answer).toMatch(
    /^fe fe fe fe 68 10 44 33 22 11 00 33 78 81 16 90 1f 00 .. .. .. .. 2c ([\d ]+) 00 00 .. 16$/,
  )
  expect(water.tookMs).toBeGreaterThan((55 * 11_000) / 1200 + 20 - 1)
  const client = foreignClient()
  await client.connectRTUBuffered(world.line('line').path, { baudRate: 9600 })
  client.setID(1)
  const { buffer } = await client.readInputRegisters(0, 2)
  await closeClient(client)
  expect(Math.abs(buffer.readFloatBE(0) - 230)).toBeLessThan(10)
  const { answersByMeter, gapViolations, collisions } = world.line('line').line.statistics()
  expect(answersByMeter).toEqual({ electric: 1, water: 1, modbus: 1 })
  expect([gapViolations, collisions]).toEqual([0, 0])
})

test.each([
  ['electricity meter at the speed of the line', READ_ELECTRIC, { baudRate: 9600 }],
  ['electricity meter at the speed of the water meter', READ_ELECTRIC, { baudRate: 1200, parity: 'even' as const }],
  ['electricity meter with two stop bits', READ_ELECTRIC, { baudRate: 2400, stopBits: 2 as const }],
  ['meter of two stop bits with one', READ_161, { baudRate: 2400, parity: 'even' as const }],
  ['water meter at the speed of the electricity meter', READ_WATER, { baudRate: 2400, parity: 'even' as const }],
])('nobody answers who asks the %s', async (_whom, request, settings) => {
  expect((await asked(request, settings, 1, 500)).answer).toBe('')
})

test('stop bits are followed, and what a pty does not show is as with the meter of that speed', async () => {
  const { line } = world.line('line')
  const { answer } = await asked(READ_161, { baudRate: 2400, stopBits: 2 }, 24)
  expect(answer).toMatch(/^fe fe fe fe 68 61 01 00 00 00 00 68 91 08 /)
  expect(line.settings).toEqual({ baud: 2400, dataBits: 8, parity: 'none', stopBits: 2 })
  await asked(READ_ELECTRIC, { baudRate: 2400, parity: 'even' }, 24)
  expect(line.settings).toEqual({ baud: 2400, dataBits: 8, parity: 'even', stopBits: 1 })
  // Somebody of another parity listens there: at its own speed a line is as it was made, and is heard by all the same.
  expect((await asked(READ_162, { baudRate: 9600, parity: 'even' }, 24)).answer).toMatch(
    /68 62 01 00 00 00 00 68 91 08 /,
  )
  expect(line.settings).toEqual({ baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 })
  // Nobody listens there: as the line is itself.
  await asked(READ_ELECTRIC, { baudRate: 4800, parity: 'even' }, 1, 200)
  expect(line.settings).toEqual({ baud: 4800, dataBits: 8, parity: 'none', stopBits: 1 })
})

test('a fault of the world reaches a meter of any protocol', async () => {
  await world.obey({ do: 'fault', what: 'electric', fault: { kind: 'refuse', code: 1 } })
  const refused = await asked(READ_ELECTRIC, { baudRate: 2400, parity: 'even' }, 17)
  expect(refused.answer).toBe('fe fe fe fe 68 29 25 07 07 21 20 68 d1 01 34 73 16')
  await world.obey({ do: 'fault', what: 'water', fault: { kind: 'wrong-unit', unit: 0x45 } })
  const other = await asked(READ_WATER, { baudRate: 1200, parity: 'even' }, 39)
  expect(other.answer).toMatch(/^fe fe fe fe 68 10 45 33 22 11 00 33 78 81 16 /)
})

type PortSettings = Omit<ConstructorParameters<typeof SerialPort>[0], 'path'>

/** Ask, and wait for so many bytes. */
async function asked(request: string, settings: PortSettings, bytes: number, forMs = ANSWER_MS) {
  const port = await open(settings)
  const parts: Buffer[] = []
  const beganMs = clock.monoMs()
  const whole = new Promise<void>((resolve) => {
    port.on('data', (part: Buffer) => {
      parts.push(part)
      if (Buffer.concat(parts).length >= bytes) resolve()
    })
  })
  port.write(hex(request))
  await Promise.race([whole, clock.sleep(forMs)])
  const tookMs = clock.monoMs() - beganMs
  // The silence that a line wants between two who speak.
  await clock.sleep(40)
  await new Promise<void>((resolve) => port.close(() => resolve()))
  return { answer: show(Buffer.concat(parts)), tookMs }
}

function open(settings: PortSettings): Promise<SerialPort> {
  const { path } = world.line('line')
  return new Promise((resolve, reject) => {
    const port: SerialPort = new SerialPort({ path, ...settings }, (error) => (error ? reject(error) : resolve(port)))
  })
}
