import { describe, expect, test } from 'vitest'
import { Fault } from '../../../../gateway/contract/fault.ts'
import type { Random } from '../../../../gateway/contract/io.ts'
import { type Link, LinkLost } from '../../../../gateway/upstream/link.ts'
import { upstreamOptions } from '../../../../gateway/upstream/options.ts'
import { startUpstream } from '../../../../gateway/upstream/upstream.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { MemoryStore, newEvents } from '../../../contract/memory-store.ts'
import { FakeLink } from './fake-link.ts'
import { logInto, longestPauses } from './rig.ts'

const acknowledging = (): FakeLink => {
  const link = new FakeLink()
  link.acknowledge = ({ settled }) => settled(undefined)
  return link
}

type Answer = (signal: AbortSignal) => Promise<Link>
const refused: Answer = () => Promise.reject(new LinkLost('connect ECONNREFUSED'))

/** An upstream whose every dialling the test answers. */
function rig(first = refused, random: Random = longestPauses) {
  const clock = new VirtualClock()
  const store = new MemoryStore()
  const lines: string[] = []
  const stop = new AbortController()
  const dialledMs: number[] = []
  let answer = first
  const upstream = startUpstream(
    upstreamOptions.parse({ id: 'city', mqtt: { url: 'mqtt://127.0.0.1:1' }, rights: { privacy: 'sensitive' } }),
    {
      hub: 'hub-01',
      store,
      clock,
      random,
      log: logInto(lines),
      secrets: { load: () => Promise.reject(new Error('no secrets here')) },
      signal: stop.signal,
    },
    (signal) => {
      dialledMs.push(Math.round(clock.monoMs()))
      return answer(signal)
    },
  )
  return { clock, store, lines, stop, dialledMs, upstream, answerWith: (next: Answer) => (answer = next) }
}

describe('connecting', () => {
  test('pauses double up to half a minute, and one line is logged however often it fails', async () => {
    const { clock, dialledMs, lines, upstream } = rig()
    await clock.advance(200_000)
    expect(dialledMs.slice(0, 9)).toEqual([0, 1000, 3000, 7000, 15_000, 31_000, 61_000, 91_000, 121_000])
    expect(lines).toEqual(['warn away; events are kept and sent later {"reason":"connect ECONNREFUSED"}'])
    expect(upstream.state()).toMatchObject({ connected: false, sinceMonoMs: 0, lastError: 'connect ECONNREFUSED' })
  })

  test('each pause is a random part of its span', async () => {
    const { clock, dialledMs } = rig(refused, { next: () => 0.5, bytes: () => new Uint8Array() })
    await clock.advance(8000)
    expect(dialledMs).toEqual([0, 500, 1500, 3500, 7500])
  })

  test('a connection that held for ten seconds begins the pauses anew', async () => {
    const { clock, dialledMs, answerWith } = rig()
    await clock.advance(7000)
    const link = acknowledging()
    answerWith(async () => link)
    await clock.advance(8000)
    expect(dialledMs.at(-1)).toBe(15_000)
    await clock.advance(10_000)
    link.lose(new LinkLost('cut'))
    await clock.advance(1000)
    expect(dialledMs.at(-1)).toBe(26_000)
  })

  test('one that is cut again and again does not, although it works: two hubs with one identity do not fight', async () => {
    const { clock, store, dialledMs, answerWith } = rig()
    answerWith(async () => {
      await store.append(newEvents(1))
      const link = acknowledging()
      clock.after(100, () => link.lose(new LinkLost('the broker closed the connection')))
      return link
    })
    await clock.advance(60_000)
    expect(dialledMs.length).toBeLessThan(8)
  })

  test('a wrong password is tried less and less often, down to once in a quarter of an hour', async () => {
    const { clock, dialledMs, lines } = rig(() => Promise.reject(new LinkLost('Not authorized', 'slow')))
    await clock.advance(24 * 3_600_000)
    expect(dialledMs.length).toBeGreaterThan(95)
    expect(dialledMs.length).toBeLessThan(115)
    expect(lines).toHaveLength(1)
  })

  test('an identity that is taken over again and again is not fought for, although each connection works', async () => {
    const { clock, store, dialledMs, answerWith } = rig()
    answerWith(async () => {
      await store.append(newEvents(1))
      const link = acknowledging()
      clock.after(100, () => link.lose(new LinkLost('another client took over', 'slow')))
      return link
    })
    await clock.advance(3_600_000)
    expect(dialledMs.length).toBeLessThan(16)
  })

  test('a secret that is missing is said with its hint, and tried again', async () => {
    const fault = new Fault('setup', 'secret city is not in /etc/linli/secrets', { hint: 'put it there' })
    const { clock, dialledMs, lines } = rig(() => Promise.reject(fault))
    await clock.advance(10_000)
    expect(dialledMs.length).toBeGreaterThan(2)
    expect(lines).toEqual([expect.stringContaining('"hint":"put it there"')])
  })
})

describe('the state', () => {
  test('tells place and lag, and who is connected since when', async () => {
    const { clock, store, upstream, answerWith } = rig()
    await store.append(newEvents(7))
    expect(upstream.state()).toMatchObject({ connected: false, lag: 7, position: undefined })
    const link = new FakeLink()
    answerWith(async () => link)
    await clock.advance(1000)
    expect(upstream.state()).toMatchObject({ connected: true, sinceMonoMs: expect.closeTo(1000, 0), lag: 7 })
    link.ack(0, 1)
    expect(upstream.state()).toMatchObject({ lag: 5, position: { epoch: 'e1', seq: 2 } })
    const figure = (name: string) => upstream.figures().find((each) => each.name === name)?.value
    expect(figure('linli_upstream_lag_events')).toBe(5)
    expect(figure('linli_upstream_acknowledged_total')).toBe(2)
    expect(figure('linli_upstream_connected')).toBe(1)
  })

  test('a fault of the disk is an outage, not an end', async () => {
    const { clock, store, upstream, answerWith, dialledMs } = rig()
    await store.append(newEvents(1))
    answerWith(async () => acknowledging())
    store.trouble = new Fault('connection', 'the disk is gone', { code: 'store' })
    await clock.advance(3000)
    expect(upstream.state().lastError).toBe('the disk is gone')
    expect(dialledMs.length).toBeGreaterThan(1)
    store.trouble = undefined
    await clock.advance(60_000)
    expect(upstream.state()).toMatchObject({ connected: true, lag: 0 })
  })
})

describe('the end', () => {
  test('comes at once while dialling, while pausing, and politely while connected', async () => {
    for (const phase of ['dialling', 'pausing', 'connected'] as const) {
      const { clock, stop, upstream, answerWith } = rig()
      const link = new FakeLink()
      if (phase === 'connected') answerWith(async () => link)
      if (phase === 'dialling') {
        answerWith(
          (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        )
      }
      await clock.advance(1500)
      stop.abort(new Error('the hub stops'))
      await clock.advance(0)
      expect(
        await Promise.race([upstream.done.then(() => 'done'), clock.advance(1).then(() => 'not yet')]),
        phase,
      ).toBe('done')
      expect(link.ended).toBe(phase === 'connected' ? 'closed' : undefined)
      expect(clock.pending).toBe(0)
    }
  })

  test('a bug is not an outage: `done` rejects with it', async () => {
    const { clock, upstream } = rig(() => Promise.reject(new TypeError('undefined is not a function')))
    const ended = expect(upstream.done).rejects.toThrow(TypeError)
    await clock.advance(1000)
    await ended
  })
})
