import { expect, test } from 'vitest'
import { readRequest, wordAt } from '../../../../drivers/rs485/codec/pdu.ts'
import { TcpHost } from '../../../../drivers/rs485/tcp-host.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { type Said, ScriptedWire } from './transcript.ts'

const TIMEOUT_MS = 1000

/** `transaction unit`, and a register that holds a value: what a host would answer. */
const answer = (transaction: number, unit: number, value: number, afterMs = 5): Said => ({
  afterMs,
  bytes: `${word(transaction)}00000005${byte(unit)}0302${word(value)}`,
})
const word = (value: number): string => value.toString(16).padStart(4, '0')
const byte = (value: number): string => value.toString(16).padStart(2, '0')

function scripted(script: readonly (readonly Said[])[], inFlightMax = 8) {
  const clock = new VirtualClock()
  const wire = new ScriptedWire(clock, script)
  const host = new TcpHost({ wire, clock, timeoutMs: TIMEOUT_MS, inFlightMax })
  const ended = host.hear().catch((error) => `${error.reach} ${error.code}`)
  const ask = (unit: number, how = { attempts: 1 }): Promise<string> =>
    host.ask(unit, readRequest('holding', unit * 100, 1), how).then(
      ({ answer }) => (answer.kind === 'data' ? String(wordAt(answer.data, 0)) : `exception ${answer.code}`),
      (error) => `${error.reach} ${error.code}`,
    )
  return { clock, wire, host, ended, ask }
}

test('what is asked in one go leaves in one packet, and each answer finds its request, in whatever order', async () => {
  const { ask, clock, wire } = scripted([[answer(3, 7, 700), answer(1, 5, 500, 6), answer(2, 6, 600, 7)]])
  const asked = Promise.all([ask(5), ask(6), ask(7)])
  await clock.advance(100)
  expect(await asked).toEqual(['500', '600', '700'])
  expect(wire.written.map(({ bytes }) => bytes)).toEqual([
    '00 01 00 00 00 06 05 03 01 f4 00 01 00 02 00 00 00 06 06 03 02 58 00 01 00 03 00 00 00 06 07 03 02 bc 00 01',
  ])
})

test('an answer in pieces, and two in one piece, are the same to it', async () => {
  const [one, two] = [answer(1, 5, 500).bytes, answer(2, 6, 600).bytes]
  const { ask, clock } = scripted([
    [
      { afterMs: 1, bytes: one.slice(0, 6) },
      { afterMs: 2, bytes: one.slice(6, 20) },
      { afterMs: 3, bytes: one.slice(20) + two },
    ],
  ])
  const asked = Promise.all([ask(5), ask(6)])
  await clock.advance(100)
  expect(await asked).toEqual(['500', '600'])
})

test('to one unit one request at a time; of all units no more than allowed', async () => {
  const { ask, clock, wire, host } = scripted(
    [[answer(1, 5, 1)], [answer(2, 5, 2)], [answer(3, 6, 3), answer(4, 7, 4)]],
    2,
  )
  const asked = Promise.all([ask(5), ask(5), ask(6), ask(7)])
  await clock.advance(1)
  // The second question to unit 5 waits for the first; 7 waits for a place.
  expect(host.account.requests).toBe(2)
  expect(wire.written[0]!.bytes).toMatch(/ 05 03 .* 06 03 /)
  await clock.advance(3000)
  await asked
  expect(host.account.requests).toBe(4)
})

test('a late answer is thrown away: the next request has another transaction', async () => {
  const { ask, clock, host } = scripted([[answer(1, 5, 100, TIMEOUT_MS + 100)], [answer(2, 5, 200, 300)]])
  const asked = Promise.all([ask(5), ask(5)])
  await clock.advance(5000)
  expect(await asked).toEqual(['device timeout', '200'])
  expect(host.account.lateAnswers).toBe(1)
})

test.each([
  ['another unit', answer(1, 6, 100)],
  ['another function', { afterMs: 5, bytes: '0001 0000 0005 05 04 02 0064' }],
  ['another length', { afterMs: 5, bytes: '0001 0000 0007 05 03 04 0064 0065' }],
] as const)('an answer of %s to our transaction is nobody’s value', async (_name, said) => {
  const { ask, clock, host } = scripted([[said]])
  const asked = ask(5)
  await clock.advance(2000)
  expect(await asked).toBe('device timeout')
  expect(host.account.malformed).toBe(1)
})

test('an exception is an answer', async () => {
  const { ask, clock } = scripted([[{ afterMs: 5, bytes: '0001 0000 0003 05 83 0b' }]])
  const asked = ask(5)
  await clock.advance(100)
  expect(await asked).toBe('exception 11')
})

test('who does not answer is asked again as often as is said, while others go on', async () => {
  const { ask, clock } = scripted([[answer(2, 6, 600)], [answer(3, 5, 500)]])
  const asked = Promise.all([ask(5, { attempts: 2 }), ask(6)])
  await clock.advance(3000)
  expect(await asked).toEqual(['500', '600'])
})

test('a stream that lost its place ends the connection, and everybody who waits', async () => {
  const { ask, clock, ended } = scripted([[{ afterMs: 5, bytes: '48 54 54 50 2f 31 2e 31' }]])
  const asked = Promise.all([ask(5), ask(6)])
  await clock.advance(100)
  expect([await ended, ...(await asked)]).toEqual(['connection protocol', 'connection protocol', 'connection protocol'])
  expect(await ask(7)).toBe('connection protocol')
})

test('a connection on which nothing comes any more is dead: it is made anew, whatever TCP thinks', async () => {
  const { ask, clock, host } = scripted([])
  const words: string[] = []
  for (let turn = 0; turn < 30 && words.at(-1) !== 'connection mute'; turn++) {
    void ask(5).then((word) => words.push(word))
    void ask(6).then((word) => words.push(word))
    await clock.advance(TIMEOUT_MS)
  }
  expect(words).toContain('device timeout')
  expect(words.at(-1)).toBe('connection mute')
  expect(host.account.requests).toBeLessThan(30)
})

test('65536 transactions and more, without a mix-up', async () => {
  const clock = new VirtualClock()
  const wire = new ScriptedWire(clock, [])
  const host = new TcpHost({ wire, clock, timeoutMs: TIMEOUT_MS, inFlightMax: 1 })
  void host.hear().catch(() => undefined)
  for (let at = 0; at < 65_540; at++) {
    const asked = host.ask(1, readRequest('holding', 0, 1), { attempts: 1 })
    await Promise.resolve()
    await Promise.resolve()
    wire.sayNow(answer((at + 1) & 0xffff, 1, at & 0xffff).bytes)
    const { answer: heard } = await asked
    if (heard.kind !== 'data' || wordAt(heard.data, 0) !== (at & 0xffff)) throw new Error(`mixed up at ${at}`)
  }
  expect(host.account.answers).toBe(65_540)
})
