import { expect, test } from 'vitest'
import type { HubEvent, HubHealth } from '../../../../hardware-sim/demo/client.ts'
import { Picture } from '../../../../hardware-sim/demo/picture.ts'
import { clock, lineOf, type Show, tableOf } from '../../../../hardware-sim/demo/table.ts'

const reading = (seq: number, meter: string, powerW: number): HubEvent => ({
  id: `hub-01/e/${seq}`,
  source: `/hubs/hub-01/devices/${meter}`,
  type: 'linli.meter.reading',
  linliseq: seq,
  linliclass: 'telemetry',
  data: { points: { power: { v: powerW, u: 'W' }, energy_import: { v: 230.5, u: 'kWh' } }, quality: 'good' },
})
const health = (state: string, ok: boolean): HubHealth => ({
  ok,
  log: { epoch: 'e', firstSeq: 1, lastSeq: 3, volatileEvents: 0, disk: 'well' },
  connections: [
    {
      id: 'line-1',
      kind: 'rs485',
      state,
      restarts: 0,
      ...(state === 'waiting' ? { trouble: { code: 'gone', message: 'the port is gone' } } : {}),
      devices: [
        { id: 'meter-301', ok },
        { id: 'meter-302', ok: true },
      ],
    },
  ],
  upstream: [],
})
const show: Show = {
  title: 'Sunshine Garden 3',
  elapsedMs: 65_000,
  nowMs: 65_000,
  delivered: 1,
  outages: 1,
  longestOutageMs: 4000,
  outage: undefined,
}
const screen = { columns: 80, rows: 24, colours: false }

function pictured(): Picture {
  const picture = new Picture()
  picture.add(reading(1, 'meter-301', 70), 60_000)
  picture.add(reading(2, 'meter-301', 1234), 62_000)
  picture.add({ ...reading(3, 'gate', 0), type: 'linli.door.unlocked', data: { cause: 'exit-button' } }, 64_900)
  picture.look(health('running', true))
  return picture
}

test('the table shows what each meter said last and how long ago, the door, and what waits for the platform', () => {
  expect(tableOf(pictured(), show, screen)).toEqual([
    ' Linli Hub  1:05  Sunshine Garden 3',
    '',
    ' meter              power        energy       read',
    ' meter-301         1234 W    230.50 kWh    3 s ago',
    ' meter-302       not read yet                     ',
    '',
    ' door      gate        unlocked by exit-button  now',
    ' log       3 events durable, 2 of them readings',
    ' upstream  ● connected · 2 waiting',
    '           1 events delivered · 1 outage, the longest 4 s',
  ])
})

test('trouble stands where the values stood, in words', () => {
  const picture = pictured()
  picture.look(health('waiting', false))
  const lines = tableOf(picture, show, screen)
  expect(lines).toContain(' meter-301       the port is gone                 ')
  expect(lines).toContain(' meter-302       the port is gone                 ')
})

test('while the platform is away the table says since when and for how long still', () => {
  const outage = { sinceMs: 62_000, untilMs: 70_000 }
  expect(tableOf(pictured(), { ...show, outage }, screen)).toContain(
    ' upstream  ○ cut off for 3 s, back in 5 s · 2 waiting',
  )
  expect(lineOf(pictured(), { ...show, outage })).toBe(
    '1:05  2 readings of 1 meters (1.2 kW now) · 3 events durable · 1 delivered · upstream CUT OFF, 2 waiting',
  )
})

test('more meters than the screen has room for are counted', () => {
  const picture = new Picture()
  for (let flat = 1; flat <= 30; flat++) picture.add(reading(flat, `meter-${flat}`, flat), 64_000)
  const lines = tableOf(picture, show, screen)
  expect(lines.length).toBeLessThan(screen.rows)
  expect(lines.find((line) => line.includes('more'))).toBe(' and 16 more')
})

test('a wide screen has two meters beside each other', () => {
  const picture = new Picture()
  for (let flat = 1; flat <= 30; flat++) picture.add(reading(flat, `meter-${flat}`, flat), 64_000)
  const lines = tableOf(picture, show, { ...screen, columns: 120 })
  expect(lines.find((line) => line.includes('meter-1 '))).toContain('meter-16 ')
})

test.each([
  ['linli.door.state', { state: 'held', cause: 'too long' }, 'held'],
  ['linli.camera.motion', { active: true, topic: 'x' }, 'something moves'],
  ['linli.camera.motion', { active: false }, 'nothing moves'],
  ['linli.camera.info', { maker: 'Linli', model: 'Dome' }, 'Linli Dome'],
  ['linli.camera.blind', { reason: 'gone' }, 'blind'],
])('%s %o is told as: %s', (type, data, words) => {
  const picture = new Picture()
  picture.add({ ...reading(1, 'thing', 0), type, data }, 0)
  expect(picture.others.get('thing')?.words).toBe(words)
})

test('a place that comes twice or late is counted as disorder, a gap record is no event', () => {
  const picture = pictured()
  picture.add(reading(2, 'meter-301', 70), 66_000)
  const { linliseq: _place, ...gap } = { ...reading(4, 'hub', 0), type: 'linli.log.gap' }
  picture.add(gap, 66_000)
  expect(picture).toMatchObject({ events: 3, disorder: 1, gaps: 1, lastSeq: 3 })
})

test.each([
  [0, '0:00'],
  [59_999, '0:59'],
  [3_725_000, '1:02:05'],
])('%i ms are %s', (ms, text) => {
  expect(clock(ms)).toBe(text)
})
