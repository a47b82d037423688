import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventLine } from '../../../../gateway/cli/event-line.ts'
import { linli, temporaryFolder } from './told.ts'

type Handler = (request: IncomingMessage, answer: ServerResponse, asked: URLSearchParams) => void

/** Something that answers as a hub does. @returns its address */
async function hub(handle: Handler): Promise<string> {
  const server = createServer((request, answer) => {
    handle(request, answer, new URL(request.url ?? '', 'http://hub').searchParams)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const EVENT =
  '{"specversion":"1.0","id":"h/e/7","source":"/hubs/h/devices/meter-301","type":"linli.meter.reading","time":"2026-11-23T08:00:01.120Z","linliseq":7,"linliclock":"synced","linliclass":"telemetry","data":{"points":{"energy_import":{"v":230.50,"u":"kWh"},"power":{"v":70,"u":"W"}},"quality":"good"}}'
const environment = { LINLI_TOKEN: 'linli_x' }
const events = (url: string, ...args: string[]) => linli(['events', '--url', url, ...args], { environment })

test('events are shown one a line; with --json as the hub wrote them', async () => {
  const url = await hub((request, answer) => {
    expect(request.headers.authorization).toBe('Bearer linli_x')
    answer.end(`${EVENT}\n{"next":"c1","more":false}\n`)
  })
  expect(await events(url)).toEqual({
    code: 0,
    out: '2026-11-23 08:00:01.120         7  telemetry  meter-301       linli.meter.reading  energy_import=230.5 kWh power=70 W quality=good\n',
    error: '',
  })
  expect((await events(url, '--json')).out).toBe(`${EVENT}\n`)
})

test('page after page is read, from where the one before ended, until there is no more or the limit is reached', async () => {
  const asked: string[] = []
  const url = await hub((_request, answer, query) => {
    asked.push(`${query.get('after')} ${query.get('limit')} ${query.get('types')}`)
    const page = asked.length
    answer.end(`${EVENT}\n${EVENT}\n{"next":"c${page}","more":${page < 3}}\n`)
  })
  await events(url, '--types', 'linli.meter.*')
  expect(asked).toEqual(['oldest 500 linli.meter.*', 'c1 500 linli.meter.*', 'c2 500 linli.meter.*'])
  asked.length = 0
  expect((await events(url, '--limit', '3', '--after', 'newest')).out.split('\n')).toHaveLength(5)
  expect(asked).toEqual(['newest 3 null', 'c1 1 null'])
})

test('a followed hub that goes away in the middle of a page is asked again from the last place that it confirmed', async () => {
  const asked: (string | null)[] = []
  const over = new AbortController()
  const url = await hub((_request, answer, query) => {
    asked.push(query.get('after'))
    if (asked.length === 1) {
      // A whole page, half a page, and the line is cut.
      answer.write(`${EVENT}\n{"next":"c1","more":true}\n${EVENT}\n`)
      answer.write('', () => setImmediate(() => answer.destroy()))
    } else {
      answer.end(`${EVENT}\n{"next":"c2","more":false}\n`, () => over.abort())
    }
  })
  const { code, out } = await linli(['events', '--follow', '--url', url], { environment, signal: over.signal })
  expect(code).toBe(0)
  expect(asked).toEqual(['oldest', 'c1'])
  expect(out.trimEnd().split('\n').length).toBeLessThanOrEqual(2)
}, 10_000)

test('what the hub refuses is told in its own words (RFC 9457), with exit code 1', async () => {
  const url = await hub((_request, answer) => {
    answer.writeHead(401, { 'content-type': 'application/problem+json' })
    answer.end('{"title":"A token is needed","status":401,"detail":"the token is not valid","hint":"make one"}')
  })
  expect(await events(url)).toEqual({
    code: 1,
    out: '',
    error: 'linli events: the hub answered 401: the token is not valid\n    make one\n',
  })
})

test('no hub, something else than a hub, and no token are told with the way out', async () => {
  const gone = await hub((_request, answer) => answer.destroy())
  expect((await events(gone)).error).toContain('is it running (systemctl status linli-hub)?')
  const other = await hub((_request, answer) => answer.writeHead(404).end('<html>'))
  expect((await events(other)).error).toContain('the answer was 404, and not from a hub')
  expect(await linli(['events', '--url', gone])).toMatchObject({
    code: 2,
    error: expect.stringContaining('put it into LINLI_TOKEN'),
  })
  expect((await events('hub')).error).toContain('--url hub: an address such as')
  expect((await events(gone, '--limit', '0')).error).toContain('--limit 0: a whole number from 1')
})

test('without --url the address is that of the settings', async () => {
  const folder = temporaryFolder()
  const settings = (api: string) => writeFileSync(join(folder, 'hub.yaml'), `hub: { id: h }\n${api}`)
  const url = await hub((_request, answer) => answer.end(`{"next":"c","more":false}\n`))
  settings(`api: { listen: "0.0.0.0:${new URL(url).port}" }`)
  expect(await linli(['events'], { folder, environment })).toMatchObject({ code: 0, out: '' })
  settings('api: { listen: "127.0.0.1:0" }')
  expect((await linli(['events'], { folder, environment })).error).toContain('a port that it chose itself')
  settings('')
  expect((await linli(['events'], { folder, environment })).error).toContain('has no `api:`')
})

test('a time that nobody vouches for has a question mark; a gap says what is missing', () => {
  const unsynced = { source: '/hubs/h', type: 'linli.hub.started', time: '1970-01-01T00:00:09Z', linliclock: 'never' }
  expect(eventLine(unsynced)).toMatch(/^1970-01-01 00:00:09 {4}\? .*\(hub\) .*linli\.hub\.started$/)
  const gap = {
    source: '/hubs/h',
    type: 'linli.log.gap',
    linliclass: 'audit',
    data: { fromSeq: 1, counts: { alarm: 2 } },
  }
  expect(eventLine(gap)).toContain('gap  audit      (hub)           linli.log.gap  fromSeq=1 counts={"alarm":2}')
})

test('a summary of readings shows from where to where each point went', () => {
  const points = {
    energy_import: { first: 230.5, firstBeforeMs: 890_000, last: 230.8, lastBeforeMs: 0, count: 90, u: 'kWh' },
    power: { min: 10, max: 70, mean: 40, count: 90, u: 'W' },
    valve: { firstState: 'open', lastState: 'shut', lastStateBeforeMs: 0, changes: 1, states: 90 },
    broken: { nulls: 90 },
  }
  const line = eventLine({
    source: '/hubs/h/devices/meter-301',
    type: 'linli.meter.summary',
    data: { count: 90, points },
  })
  expect(line).toContain('count=90 energy_import=230.5..230.8 kWh power=10..70 W valve=shut broken={"nulls":90}')
})
