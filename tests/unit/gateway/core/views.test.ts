import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Host } from '../../../../gateway/contract/driver.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { createSupervisor } from '../../../../gateway/core/supervisor.ts'
import { coreParts, driverOf, type Options } from './parts.ts'

const NOTHING = z.strictObject({})
const PLAN = { id: 'line', options: { devices: [] } }

function supervised(run: (host: Host<Options>) => Promise<void>) {
  const { clock, parts } = coreParts()
  const supervisor = createSupervisor(parts)
  const look = (view: string, signal = new AbortController().signal): unknown =>
    supervisor.views('line')?.get(view)?.look({}, signal)
  return { clock, supervisor, look, start: () => supervisor.apply([{ ...PLAN, driver: driverOf(run) }]) }
}

test('what a connection shows is looked at only when somebody asks, also while it waits for its next life', async () => {
  let lives = 0
  let looks = 0
  const { clock, supervisor, look, start } = supervised(async (host) => {
    lives += 1
    const life = lives
    host.show('trace', {
      parameters: NOTHING,
      look: () => {
        looks += 1
        return `of life ${life}`
      },
    })
    host.figures({ requests: 10 * life })
    await host.clock.sleep(100, host.signal)
    throw new Fault('connection', 'the port is gone')
  })
  await start()
  await clock.advance(50)
  expect(looks).toBe(0)
  expect(look('trace')).toBe('of life 1')
  await clock.advance(100)
  expect(supervisor.health()[0]?.state).toBe('waiting')
  expect(look('trace')).toBe('of life 1')
  await clock.advance(400)
  expect(look('trace')).toBe('of life 2')
  expect(supervisor.accounts()).toMatchObject([{ id: 'line', counters: { requests: 20 }, views: ['trace'] }])
  expect(look('plan')).toBeUndefined()
  expect(supervisor.views('other')).toBeUndefined()
  await supervisor.stop()
})

test('what a driver keeps outlives its faults, and not its connection', async () => {
  const seen: number[] = []
  const { clock, supervisor, start } = supervised(async (host) => {
    const lives = host.keep('lives', () => ({ count: 0 }))
    lives.count += 1
    seen.push(lives.count)
    await host.clock.sleep(100, host.signal)
    throw new Fault('connection', 'the port is gone')
  })
  await start()
  await clock.advance(1400)
  expect(seen).toEqual([1, 2, 3])
  await supervisor.apply([])
  await start()
  await clock.advance(50)
  expect(seen).toEqual([1, 2, 3, 1])
  await supervisor.stop()
})

test('a look ends when the connection is stopped', async () => {
  const ends: string[] = []
  const { clock, supervisor, look, start } = supervised(async (host) => {
    host.show('trace', {
      parameters: NOTHING,
      look: (_asked, signal) => {
        signal.addEventListener('abort', () => ends.push('ended'), { once: true })
        return null
      },
    })
    await host.clock.sleep(3_600_000, host.signal)
  })
  await start()
  await clock.advance(10)
  look('trace')
  expect(ends).toEqual([])
  await supervisor.apply([])
  expect(ends).toEqual(['ended'])
})

test('a driver that shows more and more is a bug', async () => {
  const { clock, supervisor, start } = supervised(async (host) => {
    for (let at = 0; at < 20; at++) host.show(`view-${at}`, { parameters: NOTHING, look: () => null })
  })
  const broken = expect(supervisor.broken).rejects.toThrow('shows 16 views')
  await start()
  await clock.advance(10)
  await broken
})
