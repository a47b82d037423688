import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Plan } from '../../../../gateway/cli/lines-plan.ts'
import type { Trace } from '../../../../gateway/cli/lines-trace.ts'
import { linli } from './told.ts'

type Handler = (request: IncomingMessage, answer: ServerResponse) => void

/** Something that answers as a hub does. @returns its address */
async function hub(handle: Handler): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const environment = { LINLI_TOKEN: 'linli_x' }

/** A hub that shows this at each path. */
function showing(shown: Readonly<Record<string, unknown>>): Promise<string> {
  return hub((request, answer) => {
    expect(request.headers.authorization).toBe('Bearer linli_x')
    const found = shown[request.url ?? '']
    answer.statusCode = found === undefined ? 404 : 200
    answer.end(
      JSON.stringify(
        found ?? { detail: 'line-9 does not show that; it shows trace, plan', hint: 'it shows trace, plan' },
      ),
    )
  })
}

const ASKED = { hex: '01 03 00 64 00 02 85 D4', words: ['unit 1: read holding registers 100 to 101'] }
const WELL = {
  device: 'meter-1',
  time: '2026-11-23T08:00:01.120533Z',
  monoUs: 1_120_533,
  asked: ASKED,
  heard: {
    pieces: [{ monoUs: 1_143_241, hex: '01 03 04 42 C8 00 00 6F B5' }],
    words: ['unit 1 answers: 2 holding registers'],
  },
  ending: 'answered',
  words: 'answered',
}
const SICK = {
  ...WELL,
  time: '2026-11-23T08:00:02.000001Z',
  monoUs: 2_000_001,
  heard: {
    pieces: [
      { monoUs: 2_020_001, hex: '01 03' },
      { monoUs: 2_023_401, hex: Array(30).fill('FF').join(' ') },
    ],
    words: ['32 bytes that are no frame'],
  },
  droppedBytes: 7,
  ending: 'noise',
  words: 'no answer, but bytes that are no frame',
}
const TRACE: Trace = {
  incidents: [
    {
      number: 4,
      words: SICK.words,
      device: 'meter-1',
      time: '2026-11-23T08:00:02.900000Z',
      monoUs: 2_900_000,
      times: 3,
      lastTime: '2026-11-23T08:01:02.900000Z',
      at: 1,
      exchanges: [WELL, SICK],
    },
  ],
  forgotten: 3,
  lately: [WELL],
}

test('a trace reads as what happened: the newest last, times from the question that went wrong', async () => {
  const url = await showing({ '/v1/connections/line-1/trace': TRACE })
  const { code, out } = await linli(['lines', 'trace', 'line-1', '--url', url], { environment })
  expect(code).toBe(0)
  expect(out).toBe(`3 older incidents gave way

4  meter-1: no answer, but bytes that are no frame, 2026-11-23 08:00:02.900000, 3 times until 2026-11-23 08:01:02.900000
    -0.879468  meter-1         asked  01 03 00 64 00 02 85 D4
                                      unit 1: read holding registers 100 to 101
    -0.856760                  heard  01 03 04 42 C8 00 00 6F B5
                                      unit 1 answers: 2 holding registers
  > +0.000000  meter-1         asked  01 03 00 64 00 02 85 D4
                                      unit 1: read holding registers 100 to 101
    +0.020000                  heard  01 03
    +0.023400                  heard  ${Array(24).fill('FF').join(' ')} ... (30 bytes)
                                      32 bytes that are no frame
                                      and 7 bytes more
                                      no answer, but bytes that are no frame

lately, from 2026-11-23 08:00:01.120533 on
    +0.000000  meter-1         asked  01 03 00 64 00 02 85 D4
                                      unit 1: read holding registers 100 to 101
    +0.022708                  heard  01 03 04 42 C8 00 00 6F B5
                                      unit 1 answers: 2 holding registers
`)
  const json = await linli(['lines', 'trace', 'line-1', '--url', url, '--json'], { environment })
  expect(JSON.parse(json.out)).toEqual(TRACE)
})

test('a line on which nothing went wrong says so', async () => {
  const url = await showing({ '/v1/connections/line-1/trace': { incidents: [], forgotten: 0, lately: [] } })
  const { out } = await linli(['lines', 'trace', 'line-1', '--url', url], { environment })
  expect(out).toBe('no fault was recorded since the hub was started\n')
})

test('--live goes on until Ctrl-C, which is no failure', async () => {
  const leaving = new AbortController()
  const url = await hub((request, answer) => {
    expect(request.url).toBe('/v1/connections/line-1/trace?live=true')
    answer.write(`\n${JSON.stringify(WELL)}\n\n{"drop`)
    setTimeout(() => answer.write('ped":5}\n'), 10)
    setTimeout(() => leaving.abort(), 100)
  })
  const told = await linli(['lines', 'trace', 'line-1', '--live', '--url', url], {
    environment,
    signal: leaving.signal,
  })
  expect([told.code, told.error]).toEqual([0, ''])
  expect(told.out.split('\n').map((line) => line.trim())).toEqual([
    '2026-11-23 08:00:01.120533',
    '+0.000000  meter-1         asked  01 03 00 64 00 02 85 D4',
    'unit 1: read holding registers 100 to 101',
    '+0.022708                  heard  01 03 04 42 C8 00 00 6F B5',
    'unit 1 answers: 2 holding registers',
    '5 exchanges were too fast to be shown',
    '',
  ])
})

test('--live --json hands on each object as it came, and ends when the hub does', async () => {
  const url = await hub((_request, answer) => void answer.end(`\n${JSON.stringify(WELL)}\n`))
  const told = await linli(['lines', 'trace', 'line-1', '--live', '--json', '--url', url], { environment })
  expect(told).toEqual({ code: 0, out: `${JSON.stringify(WELL)}\n`, error: '' })
})

const PLAN: Plan = {
  computed: { cycleMs: 10_000, neededMs: 14_230, share: 1.423 },
  measured: { forMs: 3_600_000, airtimeMs: 3_500_000, share: 0.9722 },
  devices: [
    {
      id: 'meter-1',
      profile: 'eastron/sdm630',
      address: 1,
      everyMs: 10_000,
      serial: { baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 },
      requests: [{ what: 'input 0 to 35', points: ['voltage_l1', 'power'], airtimeMs: 95.31 }],
      refused: [{ point: 'energy_export', why: 'illegal data address' }],
      computed: { airtimeMs: 95.31, share: 0.0095 },
      measured: { requests: 360, answers: 359, airtimeMs: 33_000, share: 0.0092 },
    },
  ],
  patches: [{ profile: 'eastron/sdm630', points: ['energy_export'] }],
}

test('a plan says how much of its time a line needs, by device, what was refused, and the way out', async () => {
  const url = await showing({ '/v1/connections/line-1/plan': PLAN })
  const { out } = await linli(['lines', 'plan', 'line-1', '--url', url], { environment })
  expect(out).toBe(`line-1: this line needs 14.2 s for a 10 s cycle, 140 % of its time
make \`every\` longer, raise the baud rate, or use a second line
measured: 97 % of its time in 3600 s

meter-1  eastron/sdm630, address 1, 9600 8N1, every 10 s
    computed 95.3 ms a round, 0.95 % of the line
    measured 0.92 % of the line; asked 360 times, answered 359 times
    input 0 to 35               95.3 ms  voltage_l1, power
    left out: energy_export (illegal data address)
eastron/sdm630 asks for what is not there (energy_export): --json has the patch for a profile of your own
`)
  const json = await linli(['lines', 'plan', 'line-1', '--url', url, '--json'], { environment })
  expect(JSON.parse(json.out)).toEqual(PLAN)
})

test('all lines with what they counted; doors and cameras are no lines', async () => {
  const line = {
    id: 'line-1',
    kind: 'rs485',
    state: 'waiting',
    restarts: 2,
    trouble: { code: 'jammed', message: 'the line is never quiet' },
    devices: [
      { id: 'meter-1', ok: true },
      { id: 'meter-2', ok: false },
    ],
    counters: { requests: 12, crcErrors: 1, airtimeMs: 812.4 },
    views: ['trace', 'plan'],
  }
  const gate = { ...line, id: 'gate', kind: 'gpioDoor', views: [] }
  const url = await showing({ '/v1/connections': { connections: [line, gate] } })
  expect((await linli(['lines', '--url', url], { environment })).out).toBe(
    `line-1          rs485      waiting: the line is never quiet; started again 2 times; 1 of 2 devices have trouble (meter-2)
                requests 12, CRC errors 1, airtime in ms 812
`,
  )
  const json = await linli(['lines', '--url', url, '--json'], { environment })
  expect(JSON.parse(json.out)).toEqual({ lines: [line] })
})

test('what the hub says is wrong is told with the way out; so is a verb that is called wrongly', async () => {
  const url = await showing({})
  expect(await linli(['lines', 'plan', 'line-9', '--url', url], { environment })).toEqual({
    code: 1,
    out: '',
    error: 'linli lines: the hub answered 404: line-9 does not show that; it shows trace, plan\n',
  })
  expect((await linli(['lines', 'trcae', 'line-1'])).error).toContain('did you mean trace?')
  expect((await linli(['lines', 'trace'])).error).toContain('ID is missing')
  expect((await linli(['lines', 'plan', 'line-1', '--live', '--url', url], { environment })).code).toBe(2)
  expect((await linli(['lines', '--url', url])).error).toContain('LINLI_TOKEN')
})
