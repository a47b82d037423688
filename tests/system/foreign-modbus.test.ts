import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { modbusTcp } from '../../drivers/rs485/modbus-tcp.ts'
import { rs485 } from '../../drivers/rs485/rs485.ts'
import type { Driver, Host } from '../../gateway/contract/driver.ts'
import type { Seen } from '../../gateway/contract/event.ts'
import type { Io } from '../../gateway/contract/io.ts'
import type { Log } from '../../gateway/contract/log.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { createSerial } from '../../gateway/io/serial.ts'
import { createTcp } from '../../gateway/io/tcp.ts'
import { serveForeignSerial, serveForeignTcp } from '../../hardware-sim/foreign-meter.ts'
import { eventually } from './eventually.ts'
import { meter, temporaryFolder } from './sim-parts.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }

/** A few holding registers, each of which holds its own address, in three ways of writing a number, and coils. */
const PROFILE = {
  id: 'test/own-address',
  maker: 'Test',
  model: 'Own address',
  protocol: 'modbus',
  source: 'tests/system/sim-parts.ts: registers 0 to 499 hold their own address',
  points: [
    { point: 'ten', table: 'holding', address: 10, as: 'uint16' },
    { point: 'far', table: 'holding', address: 400, as: 'int16', scale: 0.1 },
    { point: 'both', table: 'holding', address: 12, as: 'uint32', order: 'CDAB' },
    { point: 'missing', table: 'holding', address: 5000, as: 'uint16' },
    { point: 'first', table: 'coil', address: 0, as: 'bit' },
    { point: 'second', table: 'coil', address: 1, as: 'bit' },
  ],
  samples: [{ words: { '10': '000a' }, expect: { ten: 10 } }],
}
/** 12 and 13 with the low word first: 13 × 65536 + 12. */
const EXPECTED = { ten: { v: 10 }, far: { v: 40 }, both: { v: 851_980 }, first: { v: true }, second: { v: false } }

let folder: ReturnType<typeof temporaryFolder>
let ending: AbortController
let seen: Seen[]
let marks: string[]

beforeEach(() => {
  folder = temporaryFolder()
  ending = new AbortController()
  seen = []
  marks = []
})
afterEach(() => folder.remove())

function start<Options>(driver: Driver<Options>, settings: object): Promise<void> {
  const profiles = { load: async () => PROFILE, list: async () => [] }
  const host: Host<Options> = {
    connection: 'foreign',
    options: driver.options.parse(settings),
    signal: ending.signal,
    clock: createClock(),
    log: silent,
    io: { serial: createSerial(), tcp: createTcp(), profiles } as unknown as Io,
    emit: async (batch) => void seen.push(...batch),
    mark: (id, fault) => void marks.push(`${id} ${fault?.code ?? 'well'}`),
    serve() {},
    lastReading: () => undefined,
    figures() {},
    show() {},
    keep: (_name, make) => make(),
  }
  return driver.run(host)
}

async function readBoth(run: Promise<void>): Promise<void> {
  await eventually(() => ['a', 'b'].every((id) => seen.filter(({ device }) => device === id).length >= 2))
  ending.abort(new Error('read'))
  await run
  for (const { data } of seen) expect(data).toEqual({ points: EXPECTED, quality: 'partial' })
  // The register that the server does not have was found out, and said once.
  expect(marks.toSorted()).toEqual(['a point', 'b point'])
}

const devices = [
  { id: 'a', profile: 'x', address: 1, every: '200ms' },
  { id: 'b', profile: 'x', address: 2, every: '200ms' },
]

test('the server of modbus-serial over a serial line', async () => {
  const path = join(folder.path, 'foreign')
  const server = await serveForeignSerial([meter(1), meter(2)], path, 19_200)
  try {
    await readBoth(start(rs485, { rs485: { port: path, baud: 19_200 }, devices }))
  } finally {
    await server.close()
  }
})

test('the server of modbus-serial over TCP', async () => {
  const server = await serveForeignTcp([meter(1), meter(2)])
  try {
    await readBoth(start(modbusTcp, { modbusTcp: { host: server.host, port: server.port }, devices }))
  } finally {
    await server.close()
  }
})

test('a host that goes away ends the run with a fault of the connection', async () => {
  const server = await serveForeignTcp([meter(1), meter(2)])
  const run = start(modbusTcp, { modbusTcp: { host: server.host, port: server.port }, devices })
  const fault = run.catch((error) => error)
  await eventually(() => seen.length > 1)
  await server.close()
  expect((await fault).reach).toBe('connection')
  await expect(
    start(modbusTcp, { modbusTcp: { host: server.host, port: server.port }, devices }),
  ).rejects.toMatchObject({
    reach: 'connection',
    code: 'econnrefused',
  })
})
