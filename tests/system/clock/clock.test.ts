import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REPOSITORY } from '../../../hardware-sim/demo/child.ts'
import type { HubEvent } from '../../../hardware-sim/demo/client.ts'
import { Community, tcpMeters } from '../community.ts'
import { eventually } from '../eventually.ts'
import { atEnd } from '../kept.ts'
import { needs } from '../needs.ts'

/** Where Debian's libfaketime stands, on whatever architecture. */
function libfaketime(): string {
  for (const folder of readdirSync('/usr/lib')) {
    const found = join('/usr/lib', folder, 'faketime/libfaketimeMT.so.1')
    if (existsSync(found)) return found
  }
  throw new Error('libfaketime is not where Debian puts it')
}

/** The clock of one process: what it shows, and whether somebody steers it. */
class HubClock {
  readonly #folder = mkdtempSync(join(tmpdir(), 'linli-clock-'))
  readonly #library = join(this.#folder, 'steered-clock.so')

  constructor() {
    atEnd(async () => rmSync(this.#folder, { recursive: true, force: true }))
    const source = join(REPOSITORY, 'tests/system/clock/steered-clock.c')
    execFileSync('cc', ['-shared', '-fPIC', '-o', this.#library, source])
  }

  get environment(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: `${libfaketime()}:${this.#library}`,
      FAKETIME_TIMESTAMP_FILE: join(this.#folder, 'time'),
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
      STEERED: join(this.#folder, 'steered'),
    }
  }

  /** As libfaketime understands it: `@1970-01-01 00:00:00`, `+0`, `-1h`. */
  show(time: string): void {
    writeFileSync(join(this.#folder, 'time'), `${time}\n`)
  }

  steer(): void {
    writeFileSync(join(this.#folder, 'steered'), '')
  }
}

const isReading = ({ type }: HubEvent): boolean => type === 'linli.meter.reading'
const year = ({ time }: HubEvent): number => new Date(time ?? 0).getUTCFullYear()

test('a hub without a clock of its own: found by the network, set back by an hour, and no reading suffers', {
  ...needs('faketime', 'cc'),
  timeout: 90_000,
}, async () => {
  const place = await Community.start({ modbusTcp: [tcpMeters(4, '200ms')] })
  atEnd(() => place.end())
  const clock = new HubClock()
  clock.show('@1970-01-01 00:05:00')
  await place.startHub({ environment: clock.environment })
  const { client } = place
  const first = await eventually(async () => {
    const page = await client.events('oldest')
    return page.events.filter(isReading).length > 20 ? page : undefined
  })
  const early = first.events.filter(isReading)
  expect(new Set(early.map(year))).toEqual(new Set([1970]))
  expect(new Set(early.map(({ linliclock }) => linliclock))).toEqual(new Set(['never']))

  clock.steer()
  clock.show('+0')
  const set = await eventually(async () => eventOf(await client.allEvents(), 'linli.clock.set'))
  expect(set.data).toMatchObject({ before: 'never', after: 'synced' })
  const again = (await client.allEvents()).events.slice(0, first.events.length)
  expect(again.map(({ id, data }) => ({ id, data }))).toEqual(first.events.map(({ id, data }) => ({ id, data })))
  const corrected = again.filter(isReading)
  expect(new Set(corrected.map(({ linliclock }) => linliclock))).toEqual(new Set(['holdover']))
  for (const event of corrected) expect(Math.abs(Date.parse(event.time ?? '') - Date.now())).toBeLessThan(60_000)

  clock.show('-1h')
  // How far it was set, to the second; when the hub saw it by itself before it was told who steers it, that is another step.
  await eventually(async () =>
    (await client.allEvents()).events.some(
      ({ type, data }) => type === 'linli.clock.step' && Math.round(Number(data.bySeconds)) === -3600,
    ),
  )
  // The cursor from before all that goes on where it was, in order, without a hole.
  const rest = await client.allEvents(first.next)
  const places = rest.events.map(({ linliseq }) => linliseq ?? 0)
  expect(places).toEqual(Array.from(places, (_, n) => (first.events.at(-1)?.linliseq ?? 0) + 1 + n))
  const { lastSeq } = (await client.health()).log
  await eventually(async () => (await client.health()).log.lastSeq > lastSeq + 20)
})

function eventOf({ events }: { readonly events: readonly HubEvent[] }, type: string): HubEvent | undefined {
  return events.find((event) => event.type === type)
}

test('a hub that died before the time was found: the next one corrects what both recorded, and no meter waited', {
  ...needs('faketime', 'cc'),
  timeout: 90_000,
}, async () => {
  const place = await Community.start({ modbusTcp: [tcpMeters(2, '200ms')] })
  atEnd(() => place.end())
  const clock = new HubClock()
  clock.show('@1970-01-01 00:05:00')
  const { client } = place
  const readings = async (count: number) =>
    eventually(async () => {
      const found = (await client.allEvents()).events.filter(isReading)
      return found.length > count ? found : undefined
    })
  const startedMs = Date.now()
  const first = await place.startHub({ environment: clock.environment })
  const before = await readings(10)
  await first.murder()
  await place.startHub({ environment: clock.environment })
  await readings(before.length + 10)
  expect(await healthOf(place)).toMatchObject({ clock: 'never', time: { lastStepSeconds: 0 } })

  clock.steer()
  clock.show('+0')
  const set = await eventually(async () => eventOf(await client.allEvents(), 'linli.clock.set'))
  await readings(before.length + 30)
  expect(await healthOf(place)).toMatchObject({
    clock: 'synced',
    time: { lastStepSeconds: expect.any(Number), sinceSyncSeconds: 0 },
  })
  const found = (await client.allEvents()).events.filter(isReading)
  for (const { time } of found) {
    expect(Date.parse(time ?? '')).toBeGreaterThan(startedMs - 1000)
    expect(Date.parse(time ?? '')).toBeLessThan(Date.now() + 1000)
  }
  expect(found.findLast(({ linliclock }) => linliclock !== 'synced')?.linliseq).toBeLessThan(set.linliseq ?? 0)
  // Of one meter, in the order in which they were recorded: never back, and never a pause but while the hub was down.
  const ofOne = found.filter(({ source }) => source.endsWith('/meter-1')).map(({ time }) => Date.parse(time ?? ''))
  const pauses = ofOne.slice(1).map((ms, n) => ms - ofOne[n]!)
  expect(Math.min(...pauses)).toBeGreaterThan(0)
  expect(pauses.filter((ms) => ms > 2000).length).toBeLessThanOrEqual(1)
})

/** What `/healthz` says of the clock, beside what every reader of it looks at. */
async function healthOf({ client }: Community): Promise<unknown> {
  return client.health()
}
