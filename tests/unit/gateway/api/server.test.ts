import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { startApi } from '../../../../gateway/api/server.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { createClock } from '../../../../gateway/io/clock.ts'
import { newEvents } from '../../../contract/memory-store.ts'
import { logInto } from '../upstream/rig.ts'
import { apiForEachTest, at, becomes, hubFacts, key, noBackup, seqs } from './api-rig.ts'

const rig = apiForEachTest()

describe('confirming', () => {
  const path = '/v1/consumers/property/cursor'

  test('is where an asker without a cursor begins, and never moves back', async () => {
    await rig.store.append(newEvents(5))
    const none = { telemetry: null, status: null, alarm: null, audit: null }
    expect((await rig.ask(path)).json).toEqual({ cursor: null, classes: none })
    expect(await rig.put(path, { cursor: at(3) })).toMatchObject({ status: 200, json: { cursor: at(3) } })
    expect(await rig.put(path, { cursor: at(2) })).toMatchObject({ status: 200, json: { cursor: at(3) } })
    const all = { telemetry: at(3), status: at(3), alarm: at(3), audit: at(3) }
    expect((await rig.ask(path)).json).toEqual({ cursor: at(3), classes: all })
    expect(seqs(await rig.ask('/v1/events'))).toEqual([4, 5])
    expect(await rig.store.cursor('pull:property')).toEqual({ epoch: 'e1', seq: 3 })
  })

  test('only some classes leaves the others where they are, and an asker for those begins there', async () => {
    await rig.store.append(newEvents(5))
    await rig.put(path, { cursor: at(1) })
    const got = await rig.put(path, { cursor: at(4), classes: ['telemetry'] })
    expect(got.json).toEqual({
      cursor: at(1),
      classes: { telemetry: at(4), status: at(1), alarm: at(1), audit: at(1) },
    })
    expect(seqs(await rig.ask('/v1/events?classes=telemetry'))).toEqual([5])
    expect(seqs(await rig.ask('/v1/events'))).toEqual([2, 3, 4, 5])
    const wrong = await rig.put(path, { cursor: at(5), classes: ['alarms'] })
    expect(wrong).toMatchObject({ status: 400, json: { type: 'urn:linli:problem:bad-request' } })
    expect((await rig.ask(path)).json).toMatchObject({ cursor: at(1) })
  })

  test('many at once, in any order: the largest wins', async () => {
    await rig.store.append(newEvents(16))
    await Promise.all([7, 16, 3, 12, 9, 1].map((seq) => rig.put(path, { cursor: at(seq) })))
    expect((await rig.ask(path)).json).toMatchObject({ cursor: at(16) })
  })

  test('of what was never given is refused', async () => {
    await rig.store.append(newEvents(5))
    expect(await rig.put(path, { cursor: at(6) })).toMatchObject({ status: 409, json: { newest: at(5) } })
    expect(await rig.put(path, { cursor: at(1, 'old') })).toMatchObject({ status: 409 })
    expect(rig.store.cursors.size).toBe(0)
  })

  test('for somebody else is refused', async () => {
    expect(await rig.put('/v1/consumers/city/cursor', { cursor: at(0) })).toMatchObject({
      status: 403,
      json: { hint: expect.stringContaining('/v1/consumers/property/cursor') },
    })
    expect((await rig.ask('/v1/consumers/city/cursor')).status).toBe(403)
  })

  test('with a body that is none says what to send', async () => {
    for (const body of ['', '{', '[]', '{"cursor":5}', '{"cursor":"x","force":true}', '"x"']) {
      const got = await rig.put(path, body)
      expect(got.status, body).toBe(400)
      expect(got.json.hint ?? got.json.detail).toContain('{"cursor":"..."}')
    }
  })
})

describe('who may', () => {
  const without = (path: string, headers: Record<string, string> = {}) => fetch(rig.api.url + path, { headers })

  test('without a token only /healthz answers, and a stranger learns no more than whether all is well', async () => {
    for (const path of ['/v1/events', '/v1/consumers/property/cursor', '/metrics', '/', '/v1/nothing', '/v1/events/']) {
      const answer = await without(path)
      expect(answer.status, path).toBe(401)
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="linli"')
      expect(answer.headers.get('content-type')).toContain('application/problem+json')
      expect(await answer.json()).toMatchObject({ type: 'urn:linli:problem:unauthorized', status: 401 })
    }
    expect(await (await without('/healthz')).json()).toEqual({ ok: true })
    expect((await rig.ask('/healthz')).json).toEqual({ ok: true, connections: 3 })
  })

  test('wrong tokens open nothing', async () => {
    const wrong = [
      'Bearer',
      'Bearer ',
      'Bearer x',
      `Basic ${rig.token}`,
      rig.token,
      `Bearer ${rig.token}x`,
      `Bearer ${rig.token} ${rig.token}`,
    ]
    for (const authorization of wrong) {
      for (const path of ['/v1/events', '/healthz']) {
        expect((await without(path, { authorization })).status, authorization).toBe(401)
      }
    }
    const metrics = await rig.ask('/metrics')
    expect(metrics.text).toContain(`linli_api_refused_total ${2 * wrong.length}`)
    expect(rig.lines.join()).not.toContain(rig.token)
  })

  test('a consumer that is not in the settings is told so', async () => {
    const { token: other } = await rig.tokenBook().create('former')
    const answer = await without('/v1/events', { authorization: `Bearer ${other}` })
    expect(answer.status).toBe(403)
    expect(await answer.json()).toMatchObject({ hint: expect.stringContaining('add former to consumers') })
  })

  test('a damaged file of tokens lets nobody in; the log says so once', async () => {
    rig.files.write('tokens.json', '{')
    expect((await rig.ask('/v1/events')).status).toBe(503)
    expect((await rig.ask('/v1/events')).status).toBe(503)
    expect(rig.lines.filter((line) => line.startsWith('error'))).toHaveLength(1)
    expect((await without('/healthz')).status).toBe(200)
  })
})

describe('health and figures', () => {
  test('a hub that is not well answers 503', async () => {
    rig.health = { ok: false, reason: 'the disk is full' }
    expect(await rig.ask('/healthz')).toMatchObject({ status: 503, json: rig.health })
  })

  test('figures come as Prometheus reads them', async () => {
    const got = await rig.ask('/metrics')
    expect(got.type).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(got.text).toContain('# TYPE linli_log_events gauge\nlinli_log_events 12\n')
  })

  test('a store in trouble is 503, not a bug', async () => {
    rig.store.trouble = new Fault('connection', 'the disk is gone', { code: 'store' })
    const got = await rig.ask('/v1/events')
    expect(got).toMatchObject({ status: 503, json: { type: 'urn:linli:problem:unavailable', code: 'store' } })
    expect(got.headers.get('retry-after')).toBe('5')
  })

  test('a bug is 500 with nothing of it, and the log has it', async () => {
    rig.store.read = () => Promise.reject(new TypeError('a secret inside'))
    const got = await rig.ask('/v1/events')
    expect(got.status).toBe(500)
    expect(got.text).not.toContain('secret')
    expect(rig.lines).toEqual([expect.stringMatching(/^error a request ended in a bug/)])
  })
})

describe('limits', () => {
  test('what the hub is, with the key of its audit chain, is told to who has a token', async () => {
    const { status, text } = await rig.ask('/v1/hub')
    expect({ status, ...JSON.parse(text) }).toEqual({
      status: 200,
      id: 'hub-01',
      version: '1.2.3',
      epoch: 'e1',
      auditKey: { publicKey: 'PEM of the key', fingerprint: 'ab12' },
    })
    expect((await fetch(`${rig.api.url}/v1/hub`)).status).toBe(401)
  })

  test('unknown paths and methods', async () => {
    expect(await rig.ask('/v1/nothing')).toMatchObject({ status: 404, json: { type: 'urn:linli:problem:not-found' } })
    expect(await rig.ask('/v1/%zz')).toMatchObject({ status: 400, json: { type: 'urn:linli:problem:bad-request' } })
    const got = await rig.ask('/v1/events', { method: 'DELETE' })
    expect(got).toMatchObject({ status: 405, json: { type: 'urn:linli:problem:method-not-allowed' } })
    expect(got.headers.get('allow')).toBe('GET')
  })

  test('an address, headers or a body that is too large', async () => {
    expect((await rig.ask(`/v1/events?types=${'a'.repeat(5000)}`)).status).toBe(414)
    expect((await rig.put('/v1/consumers/property/cursor', 'x'.repeat(65 * 1024 + 1))).status).toBe(413)
    const headers = await rig.exchange(`GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)
    expect(headers).toMatch(/^HTTP\/1.1 431 /)
  })

  test('what is not HTTP is told so and closed', async () => {
    expect(await rig.exchange('\x16\x03\x01 this is TLS\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 .*urn:linli:problem:bad-request/s,
    )
  })

  test('a request that dribbles in is cut off', async () => {
    await rig.restart({ requestMs: 300 })
    const beganMs = performance.now()
    expect(await rig.exchange('GET /healthz HTTP/1.1\r\nhost: x\r\n')).toMatch(/^HTTP\/1.1 408 /)
    expect(performance.now() - beganMs).toBeLessThan(3000)
  })

  test('a connection that is silent is closed', async () => {
    await rig.restart({ silenceMs: 200 })
    expect(await rig.exchange('')).toBe('')
  })

  test('connections beyond the bound are closed at once', async () => {
    await rig.restart({ connections: 2 })
    const { hostname, port } = new URL(rig.api.url)
    const held = [1, 2].map(() => connect(Number(port), hostname))
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    expect(await rig.exchange('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')).toBe('')
    for (const socket of held) socket.destroy()
  })

  test('one consumer runs sixteen requests at once and not one more', async () => {
    const polls = Array.from({ length: 16 }, () => rig.ask('/v1/events?wait=20s'))
    await becomes(() => rig.store.waiting).toBe(16)
    const refused = await rig.ask('/v1/events')
    expect(refused).toMatchObject({ status: 429, json: { type: 'urn:linli:problem:too-many-requests' } })
    expect(refused.headers.get('retry-after')).toBe('1')
    await rig.store.append(newEvents(1))
    for (const { status } of await Promise.all(polls)) expect(status).toBe(200)
    expect((await rig.ask('/v1/events')).status).toBe(200)
  })
})

test('an address that is taken is a mistake in the settings, with its place and the way out', async () => {
  const listen = new URL(rig.api.url).host
  const parts = {
    listen,
    hub: hubFacts,
    key,
    store: rig.store,
    desk: rig.desk,
    connections: rig.connections,
    backup: noBackup,
    clock: createClock(),
    log: logInto([]),
    signal: rig.stop.signal,
  }
  const rest = { consumers: [], tokens: { verify: () => undefined }, health: () => rig.health, figures: () => [] }
  await expect(startApi({ ...parts, ...rest })).rejects.toMatchObject({
    reach: 'setup',
    message: expect.stringContaining(`api.listen: ${listen}`),
    hint: expect.stringContaining('free port'),
  })
})
