import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { View } from '../../../../gateway/contract/driver.ts'
import type { Json } from '../../../../gateway/contract/event.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { ALL_RIGHTS } from '../../../../gateway/contract/rights.ts'
import { apiForEachTest, becomes } from './api-rig.ts'

const rig = apiForEachTest()
const LINE = { id: 'line-1', kind: 'rs485', state: 'running', restarts: 0, devices: [] } as const

let endings: string[]

/** Counts from `from` on, until whoever looks goes away. */
async function* counting(from: number, signal: AbortSignal): AsyncGenerator<Json> {
  try {
    for (let at = from; at < from + 2; at++) yield { at }
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  } finally {
    endings.push('the stream ended')
  }
}

const views = new Map<string, View>([
  ['plan', { parameters: z.strictObject({}), look: () => ({ devices: ['meter-1'] }) } as View],
  [
    'scan',
    {
      parameters: z.strictObject({ from: z.coerce.number('a number is wanted').int() }),
      look: ({ from }: { from: number }, signal: AbortSignal) => counting(from, signal),
    } as View,
  ],
  [
    'away',
    {
      parameters: z.strictObject({}),
      look: () => {
        throw new Fault('connection', 'the line waits for its port', { code: 'away' })
      },
    } as View,
  ],
])

beforeEach(async () => {
  endings = []
  rig.connections = {
    accounts: () => [{ ...LINE, counters: { requests: 12 }, views: [...views.keys()] }],
    views: (id) => (id === 'line-1' ? views : id === 'gate' ? new Map() : undefined),
  }
  rig.rights = ALL_RIGHTS
  await rig.restart({})
})

describe('who may look', () => {
  test('nobody without a token, and no consumer without all rights', async () => {
    for (const path of ['/v1/connections', '/v1/connections/line-1/plan']) {
      expect((await fetch(rig.api.url + path)).status).toBe(401)
    }
    rig.rights = { privacy: 'personal' }
    await rig.restart({})
    for (const path of ['/v1/connections', '/v1/connections/line-1/plan', '/v1/connections/none/plan']) {
      expect(await rig.ask(path)).toMatchObject({ status: 403, json: { hint: expect.stringContaining('sensitive') } })
    }
  })
})

test('every connection is listed, with what it counted and what it shows', async () => {
  expect(await rig.ask('/v1/connections')).toMatchObject({
    status: 200,
    json: { connections: [{ ...LINE, counters: { requests: 12 }, views: ['plan', 'scan', 'away'] }] },
  })
})

test('what is shown at once is one object', async () => {
  const got = await rig.ask('/v1/connections/line-1/plan')
  expect([got.status, got.json]).toEqual([200, { devices: ['meter-1'] }])
})

test.each([
  ['/v1/connections/line-2/plan', 404, 'there is no connection line-2; there are line-1'],
  ['/v1/connections/line-1/scna', 404, 'line-1 does not show scna; it shows plan, scan, away'],
  ['/v1/connections/gate/plan', 404, 'gate does not show plan; it shows nothing'],
  ['/v1/connections/line-1/plan?live=true', 400, 'live is "true"; there is no such parameter'],
  ['/v1/connections/line-1/scan?from=x', 400, 'from is "x"; a number is wanted'],
  ['/v1/connections/line-1/scan?from=1&from=2', 400, 'from is "1,2"; give it once'],
  ['/v1/connections/line-1/away', 503, 'the line waits for its port'],
])('%s is a problem that says the way out', async (path, status, detail) => {
  const got = await rig.ask(path)
  expect([got.status, got.json.detail]).toEqual([status, detail])
  expect(got.type).toContain('problem+json')
})

test('a stream comes object by object, and ends at the source when whoever looks goes away', async () => {
  const leaving = new AbortController()
  const headers = { authorization: `Bearer ${rig.token}` }
  const answer = await fetch(`${rig.api.url}/v1/connections/line-1/scan?from=7`, { headers, signal: leaving.signal })
  expect(answer.headers.get('content-type')).toContain('application/x-ndjson')
  let text = ''
  for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += part
    if (text.includes('{"at":8}\n')) break
  }
  expect(text.trim().split('\n')).toEqual(['{"at":7}', '{"at":8}'])
  leaving.abort()
  await becomes(() => endings).toEqual(['the stream ended'])
})

test('a stream ends when the hub stops', async () => {
  const headers = { authorization: `Bearer ${rig.token}` }
  const answer = await fetch(`${rig.api.url}/v1/connections/line-1/scan?from=7`, { headers })
  const text = answer.text()
  rig.stop.abort(new Error('the hub stops'))
  expect((await text).trim().split('\n')).toEqual(['{"at":7}', '{"at":8}'])
  expect(endings).toEqual(['the stream ended'])
})
