import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCursorCodec } from '../../../../gateway/api/cursor.ts'
import { narrow } from '../../../../gateway/api/narrow.ts'
import { apiOptions, consumerOptions } from '../../../../gateway/api/options.ts'
import { readEventsQuery } from '../../../../gateway/api/parameters.ts'
import { ApiProblem } from '../../../../gateway/api/problem.ts'
import { prometheusText } from '../../../../gateway/api/prometheus.ts'
import { EVENT_CLASSES, PRIVACY_LEVELS } from '../../../../gateway/contract/event.ts'
import { maySee, type Rights } from '../../../../gateway/contract/rights.ts'
import { newEvent } from '../../../contract/memory-store.ts'

const cursors = createCursorCodec(Buffer.alloc(32, 1), 'property')

function problemOf(run: () => unknown): { status: number; kind: string; body: Record<string, unknown> } {
  try {
    run()
  } catch (error) {
    if (error instanceof ApiProblem) return { status: error.status, kind: error.kind, body: JSON.parse(error.json()) }
    throw error
  }
  throw new Error('there was no problem')
}

describe('a cursor', () => {
  test('comes back as the place that it was made of', () => {
    const epochs = fc.stringMatching(/^[a-z0-9-]{1,36}$/)
    fc.assert(
      fc.property(epochs, fc.nat({ max: Number.MAX_SAFE_INTEGER }), (epoch, seq) => {
        const text = cursors.write({ epoch, seq })
        expect(text).toMatch(/^[A-Za-z0-9_-]+$/)
        expect(cursors.read(text, 'after')).toEqual({ epoch, seq })
      }),
    )
  })

  test('changed in any character is refused', () => {
    const text = cursors.write({ epoch: '3f9c', seq: 184_223 })
    const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (let at = 0; at < text.length; at++) {
      for (const character of characters) {
        if (character === text[at]) continue
        const { status } = problemOf(() => cursors.read(text.slice(0, at) + character + text.slice(at + 1), 'after'))
        expect(status).toBe(400)
      }
    }
  })

  test('of another hub or of another consumer is forged; what is no cursor is malformed', () => {
    for (const other of [
      createCursorCodec(Buffer.alloc(32, 2), 'property'),
      createCursorCodec(Buffer.alloc(32, 1), 'city'),
    ]) {
      expect(problemOf(() => cursors.read(other.write({ epoch: '3f9c', seq: 1 }), 'after')).kind).toBe('cursor-forged')
    }
    for (const text of [
      '',
      '0',
      '184223',
      'hub-01/3f9c/1',
      'ä',
      'A'.repeat(1000),
      Buffer.from('1:e:1').toString('base64url'),
    ]) {
      expect(problemOf(() => cursors.read(text, 'after')).kind, text).toBe('cursor-malformed')
    }
  })

  test('whatever is sent, it is a place or a problem', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(problemOf(() => cursors.read(text, 'after')).status).toBe(400)
      }),
    )
  })
})

describe('narrowed rights', () => {
  const pattern = fc.constantFrom(
    '*',
    'linli.*',
    'linli.meter.*',
    'linli.meter.reading',
    'linli.door.opened',
    'a*',
    'a',
  )
  const patterns = fc.array(pattern, { minLength: 1, maxLength: 4 })
  const classes = fc.subarray([...EVENT_CLASSES], { minLength: 1 })
  const rights: fc.Arbitrary<Rights> = fc.record({
    types: patterns,
    devices: patterns,
    classes,
    privacy: fc.constantFrom(...PRIVACY_LEVELS),
  })
  const event = fc
    .record({
      type: fc.constantFrom('linli.meter.reading', 'linli.meter.silent', 'linli.door.opened', 'a', 'ab', 'b'),
      source: fc.constantFrom('devices/a', 'devices/ab', 'devices/linli.meter.reading', 'connections/a', ''),
      class: fc.constantFrom(...EVENT_CLASSES),
      privacy: fc.constantFrom(...PRIVACY_LEVELS),
    })
    .map((changes) => ({ ...newEvent(changes), kind: 'event' as const, epoch: 'e', seq: 1 }))

  test('show exactly what was both allowed and asked for', () => {
    const wanted = fc.record({ types: patterns, devices: patterns, classes }, { requiredKeys: [] })
    fc.assert(
      fc.property(rights, wanted, event, (allowed, asked, seen) => {
        const open: Rights = { types: ['*'], devices: ['*'], classes: EVENT_CLASSES, privacy: 'sensitive' }
        const both = maySee(allowed, seen) && maySee({ ...open, ...asked }, seen)
        expect(maySee(narrow(allowed, asked), seen)).toBe(both)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the parameters of /v1/events', () => {
  const read = (query: Record<string, readonly string[]>) => readEventsQuery(query, cursors)

  test('nothing asked: from where the caller confirmed, everything it may see', () => {
    expect(read({})).toEqual({ after: 'confirmed', limit: undefined, waitMs: 0 })
  })

  test('everything asked', () => {
    const after = cursors.write({ epoch: 'e', seq: 5 })
    expect(
      read({
        after: [after],
        limit: ['20'],
        types: ['linli.meter.*,linli.door.opened', 'linli.fire.*'],
        devices: ['meter-301'],
        classes: ['alarm,status'],
        wait: ['30s'],
      }),
    ).toEqual({
      after: { epoch: 'e', seq: 5 },
      limit: 20,
      types: ['linli.meter.*', 'linli.door.opened', 'linli.fire.*'],
      devices: ['meter-301'],
      classes: ['alarm', 'status'],
      waitMs: 30_000,
    })
  })

  test('a wait longer than proxies bear is cut', () => {
    expect(read({ wait: ['1h'] }).waitMs).toBe(55_000)
  })

  test('every mistake names parameter, value and way out', () => {
    const cases: [string, string, string][] = [
      ['limit', '0', 'from 1'],
      ['limit', '-1', 'from 1'],
      ['limit', '1.5', 'from 1'],
      ['limit', '1e9', 'from 1'],
      ['limit', 'many', 'from 1'],
      ['wait', '30', 'such as 500ms or 30s'],
      ['wait', 'a while', 'such as 500ms or 30s'],
      ['classes', 'alarms', 'telemetry, status, alarm, audit'],
      ['types', '*.reading', 'beginnings followed by *'],
      ['types', '', 'beginnings followed by *'],
      ['devices', 'meter 301', 'beginnings followed by *'],
      ['since', 'yesterday', 'after, limit, types, devices, classes, wait'],
    ]
    for (const [parameter, value, hint] of cases) {
      const { status, body } = problemOf(() => read({ [parameter]: [value] }))
      expect(status).toBe(400)
      expect(body).toMatchObject({
        type: 'urn:linli:problem:bad-parameter',
        title: 'A parameter is not understood',
        status: 400,
        parameter,
        value,
        hint: expect.stringContaining(hint),
      })
    }
    expect(problemOf(() => read({ limit: ['1', '2'] })).body).toMatchObject({ hint: 'give it once' })
    expect(problemOf(() => read({ types: [Array(60).fill('a').join(',')] })).body).toMatchObject({ hint: '50 at most' })
  })
})

test('figures in the text format of Prometheus, each name told once, odd characters escaped', () => {
  expect(
    prometheusText([
      { name: 'linli_log_bytes', help: 'Size of the log.\nIn bytes.', kind: 'gauge', value: 4096 },
      { name: 'linli_upstream_lag_events', help: 'Lag.', kind: 'gauge', labels: { upstream: 'city' }, value: 0 },
      { name: 'linli_log_bytes', help: 'Size of the log.', kind: 'gauge', labels: { path: 'a"b\\c\nd' }, value: 0.5 },
      { name: 'linli_upstream_lag_events', help: 'Lag.', kind: 'gauge', labels: { upstream: 'b' }, value: Number.NaN },
    ]),
  ).toBe(
    [
      '# HELP linli_log_bytes Size of the log.\\nIn bytes.',
      '# TYPE linli_log_bytes gauge',
      'linli_log_bytes 4096',
      'linli_log_bytes{path="a\\"b\\\\c\\nd"} 0.5',
      '# HELP linli_upstream_lag_events Lag.',
      '# TYPE linli_upstream_lag_events gauge',
      'linli_upstream_lag_events{upstream="city"} 0',
      'linli_upstream_lag_events{upstream="b"} NaN',
      '',
    ].join('\n'),
  )
})

describe('the settings', () => {
  test('left out: this machine only', () => {
    expect(apiOptions.parse({})).toEqual({ listen: '127.0.0.1:8443' })
  })

  test('addresses of both kinds, and mistakes with the way out', () => {
    for (const listen of ['0.0.0.0:8443', '[::1]:0', 'hub.local:80'])
      expect(apiOptions.parse({ listen }).listen).toBe(listen)
    for (const listen of ['8443', '127.0.0.1', '::1:80', '127.0.0.1:99999', 'a b:80', 'http://x:80']) {
      expect(apiOptions.safeParse({ listen }).error?.issues[0]?.path, listen).toEqual(['listen'])
    }
  })

  test('a consumer without rights sees what is public', () => {
    expect(consumerOptions.parse({ id: 'city' }).rights.privacy).toBe('public')
    expect(consumerOptions.safeParse({ id: 'city', rights: { types: ['*.reading'] } }).success).toBe(false)
  })
})
