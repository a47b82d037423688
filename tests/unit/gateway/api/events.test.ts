import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createCursorCodec } from '../../../../gateway/api/cursor.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { newEvent, newEvents } from '../../../contract/memory-store.ts'
import { apiForEachTest, at, becomes, NDJSON, seqs } from './api-rig.ts'

const rig = apiForEachTest()

describe('a page of events', () => {
  test('holds CloudEvents with the stored bodies, character for character', async () => {
    const body = '{"points": {"power":{"v":7.0e1,"u":"W"}},"名":"阳光花园"}'
    await rig.store.append([newEvent({ body }), newEvent({ class: 'alarm', source: '' })])
    const got = await rig.ask('/v1/events')
    expect(got.status).toBe(200)
    expect(got.type).toBe('application/json; charset=utf-8')
    expect(got.headers.get('cache-control')).toBe('no-store')
    expect(got.text).toContain(`"data":${body}}`)
    expect(got.json.events[0]).toEqual({
      specversion: '1.0',
      id: 'hub-01/e1/1',
      source: '/hubs/hub-01/devices/meter-301',
      type: 'linli.meter.reading',
      time: '2026-11-23T08:00:00.000Z',
      linliseq: 1,
      linliclock: 'synced',
      linliclass: 'telemetry',
      linliprivacy: 'public',
      data: JSON.parse(body),
    })
    expect(got.json).toMatchObject({ next: at(2), more: false })
  })

  test('pages follow one another without a hole, and the same request gives the same bytes', async () => {
    await rig.store.append(newEvents(25))
    const seen: number[] = []
    for (let after = 'oldest', more = true; more; ) {
      const path = `/v1/events?limit=10&after=${after}`
      const got = await rig.ask(path)
      expect((await rig.ask(path)).text).toBe(got.text)
      seen.push(...seqs(got))
      after = got.json.next
      more = got.json.more
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => n + 1))
  })

  test('what the consumer has no right to is not in it, whatever it asks for', async () => {
    await rig.store.append([
      newEvent({ privacy: 'personal' }),
      newEvent({ privacy: 'sensitive', body: '{"card":"canary"}' }),
    ])
    for (const path of ['/v1/events', '/v1/events?types=*&devices=*&classes=telemetry,audit,alarm,status']) {
      const got = await rig.ask(path)
      expect(seqs(got)).toEqual([1])
      expect(got.text).not.toContain('canary')
      expect(got.json.next).toBe(at(2))
    }
  })

  test('filters by type, device and class', async () => {
    await rig.store.append([
      newEvent(),
      newEvent({ class: 'alarm', type: 'linli.fire.alarm', source: 'devices/smoke-1' }),
      newEvent({ class: 'status', type: 'linli.door.opened', source: 'devices/door-1' }),
    ])
    expect(seqs(await rig.ask('/v1/events?types=linli.meter.*,linli.door.opened'))).toEqual([1, 3])
    expect(seqs(await rig.ask('/v1/events?devices=smoke-1&devices=door-1'))).toEqual([2, 3])
    expect(seqs(await rig.ask('/v1/events?classes=alarm'))).toEqual([2])
    expect(seqs(await rig.ask('/v1/events?types=linli.water.*'))).toEqual([])
  })

  test('what was evicted is announced before what is left', async () => {
    await rig.store.append(newEvents(10))
    await rig.store.trim(6)
    const got = await rig.ask(`/v1/events?after=${at(2)}`)
    expect(got.status).toBe(200)
    expect(got.json.events[0]).toMatchObject({
      type: 'linli.log.gap',
      data: { fromSeq: 1, toSeq: 6, reason: 'evicted', counts: { telemetry: 6 } },
    })
    expect(seqs(got).slice(1)).toEqual([7, 8, 9, 10])
  })

  test('holds a thousand at most, whatever is asked for', async () => {
    await rig.store.append(newEvents(1500))
    expect(seqs(await rig.ask('/v1/events?limit=999999999'))).toHaveLength(1000)
    expect(seqs(await rig.ask('/v1/events'))).toHaveLength(500)
  })

  test('of an empty log is empty', async () => {
    expect((await rig.ask('/v1/events')).json).toEqual({ events: [], next: at(0), more: false })
  })
})

describe('a long poll', () => {
  test('is answered as soon as something is there', async () => {
    const polling = rig.ask('/v1/events?after=newest&wait=30s')
    await becomes(() => rig.store.waiting).toBe(1)
    await rig.store.append(newEvents(2))
    expect(seqs(await polling)).toEqual([1, 2])
    expect(rig.store.waiting).toBe(0)
  })

  test('is not answered by what the caller may not see', async () => {
    const polling = rig.ask('/v1/events?wait=30s')
    await becomes(() => rig.store.waiting).toBe(1)
    await rig.store.append(newEvents(3, { privacy: 'sensitive' }))
    await becomes(() => rig.store.reads).toBe(2)
    await becomes(() => rig.store.waiting).toBe(1)
    await rig.store.append(newEvents(1))
    const got = await polling
    expect(seqs(got)).toEqual([4])
  })

  test('is answered empty when the time is over', async () => {
    const got = await rig.ask('/v1/events?wait=50ms')
    expect(got.json).toEqual({ events: [], next: at(0), more: false })
    expect(rig.store.waiting).toBe(0)
  })

  test('leaves nothing behind when the caller goes away', async () => {
    const going = new AbortController()
    const polling = rig.ask('/v1/events?wait=50s', { signal: going.signal })
    await becomes(() => rig.store.waiting).toBe(1)
    going.abort()
    await expect(polling).rejects.toThrow()
    await becomes(() => rig.store.waiting).toBe(0)
  })

  test('is answered when the hub stops, at once', async () => {
    const polling = rig.ask('/v1/events?wait=50s')
    await becomes(() => rig.store.waiting).toBe(1)
    const beganMs = performance.now()
    rig.stop.abort()
    expect((await polling).status).toBe(200)
    await rig.api.close()
    expect(performance.now() - beganMs).toBeLessThan(1500)
  })
})

describe('a stream of lines', () => {
  test('carries one event a line, and after each page a line with the cursor', async () => {
    await rig.store.append(newEvents(1200))
    const got = await rig.ask('/v1/events', { headers: NDJSON })
    expect(got.status).toBe(200)
    expect(got.type).toBe('application/x-ndjson; charset=utf-8')
    const all = got.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(all.filter(({ specversion }) => specversion).map(({ linliseq }) => linliseq)).toEqual(
      Array.from({ length: 1200 }, (_, n) => n + 1),
    )
    expect(all.filter(({ next }) => next)).toEqual([
      { next: at(500), more: true },
      { next: at(1000), more: true },
      { next: at(1200), more: false },
    ])
    expect(all.at(-1)).toEqual({ next: at(1200), more: false })
  })

  test('ends at its limit', async () => {
    await rig.store.append(newEvents(1200))
    const got = await rig.ask('/v1/events?limit=700', { headers: NDJSON })
    const all = got.text.trimEnd().split('\n')
    expect(all).toHaveLength(702)
    expect(JSON.parse(all.at(-1) ?? '')).toEqual({ next: at(700), more: true })
  })

  test('follows the log while it is asked to wait', async () => {
    await rig.store.append(newEvents(1))
    const got = rig.ask('/v1/events?wait=1500ms', { headers: NDJSON })
    await becomes(() => rig.store.waiting).toBe(1)
    await rig.store.append(newEvents(1))
    await becomes(() => rig.store.waiting).toBe(1)
    await rig.store.append(newEvents(1))
    const events = (await got).text.split('\n').filter((line) => line.includes('specversion'))
    expect(events).toHaveLength(3)
  })

  test('waits for a slow reader, a page ahead and no more', async () => {
    await rig.store.append(newEvents(100_000, { body: JSON.stringify({ text: 'x'.repeat(500) }) }))
    const { hostname, port } = new URL(rig.api.url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `GET /v1/events HTTP/1.1\r\nhost: x\r\naccept: application/x-ndjson\r\nauthorization: Bearer ${rig.token}\r\n\r\n`,
    )
    socket.pause()
    await becomes(() => rig.store.reads).toBeGreaterThan(1)
    let before = -1
    const still = (): boolean => {
      const same = rig.store.reads === before
      before = rig.store.reads
      return same
    }
    await expect.poll(still, { interval: 200, timeout: 10_000 }).toBe(true)
    // The kernel's buffers on both sides take some megabytes of the 70.
    expect(rig.store.reads).toBeLessThan(60)
    socket.destroy()
  })

  test('that breaks in the middle ends without its end: nobody takes it for complete', async () => {
    await rig.store.append(newEvents(2000))
    const read = rig.store.read.bind(rig.store)
    rig.store.read = (query) =>
      rig.store.reads < 2 ? read(query) : Promise.reject(new Fault('connection', 'disk gone'))
    await expect(rig.ask('/v1/events', { headers: NDJSON })).rejects.toThrow()
  })

  test('a cursor that does not fit is a problem with a status, not a broken stream', async () => {
    const got = await rig.ask(`/v1/events?after=${at(0, 'old')}`, { headers: NDJSON })
    expect(got.status).toBe(409)
  })
})

describe('cursors that do not fit', () => {
  test('each has its own answer, with the way out', async () => {
    await rig.store.append(newEvents(3))
    const malformed = await rig.ask('/v1/events?after=184223')
    expect(malformed).toMatchObject({
      status: 400,
      json: { type: 'urn:linli:problem:cursor-malformed', parameter: 'after' },
    })
    const other = createCursorCodec(Buffer.alloc(32, 9), 'property').write({ epoch: 'e1', seq: 1 })
    const forged = await rig.ask(`/v1/events?after=${other}`)
    expect(forged).toMatchObject({ status: 400, json: { type: 'urn:linli:problem:cursor-forged' } })
    const ahead = await rig.ask(`/v1/events?after=${at(1000)}`)
    expect(ahead).toMatchObject({ status: 409, json: { type: 'urn:linli:problem:cursor-ahead', newest: at(3) } })
    const epoch = await rig.ask(`/v1/events?after=${at(2, 'old')}`)
    expect(epoch).toMatchObject({ status: 409, json: { type: 'urn:linli:problem:cursor-epoch', oldest: at(0) } })
    expect(epoch.type).toContain('application/problem+json')
    expect(seqs(await rig.ask(`/v1/events?after=${epoch.json.oldest}`))).toEqual([1, 2, 3])
  })
})
