import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Door,
  type DoorRules,
  foundDoor,
  type Input,
  isReleased,
  nextDeadlineMs,
  stateOf,
  step,
} from '../../../../drivers/gpio-door/door.ts'

const RULES: DoorRules = { unlockForMs: 5000, heldAfterMs: 30_000, relockOn: 'close' }
const NOW = 100_000

const shut = foundDoor({ open: false, fire: false, tampered: false }, 0)
const released: Door = { ...shut, released: { untilMs: NOW + 3000, cause: 'exit-button' } }
const STATES: Readonly<Record<string, Door>> = {
  locked: shut,
  unlocked: released,
  'open, released': { ...released, open: true, openSinceMs: NOW - 1000 },
  'open, locked': { ...shut, open: true, openSinceMs: NOW - 1000 },
  held: { ...shut, open: true, openSinceMs: NOW - 60_000, held: true },
  forced: { ...shut, open: true, openSinceMs: NOW - 1000, forced: true },
  tampered: { ...shut, tampered: true },
  fire: { ...shut, fire: true },
}
const INPUTS: Readonly<Record<string, Input>> = {
  'contact opens': { kind: 'contact', open: true, nowMs: NOW },
  'contact shuts': { kind: 'contact', open: false, nowMs: NOW },
  'exit pressed': { kind: 'exit', pressed: true, nowMs: NOW },
  'exit let go': { kind: 'exit', pressed: false, nowMs: NOW },
  unlock: { kind: 'unlock', by: 'property', nowMs: NOW },
  lock: { kind: 'lock', nowMs: NOW },
  'fire begins': { kind: 'fire', active: true, nowMs: NOW },
  'fire ends': { kind: 'fire', active: false, nowMs: NOW },
  'cover opens': { kind: 'tamper', active: true, nowMs: NOW },
  'cover shuts': { kind: 'tamper', active: false, nowMs: NOW },
  'time passes': { kind: 'time', nowMs: NOW },
}

/** From each state, each input: the word for the door, R where the lock is released, and what is told. */
const MATRIX = `
locked          | contact opens | forced         | forced
locked          | contact shuts | locked         |
locked          | exit pressed  | unlocked R     | unlocked
locked          | exit let go   | locked         |
locked          | unlock        | unlocked R     | unlocked
locked          | lock          | locked         |
locked          | fire begins   | unlocked R     | fire unlocked
locked          | fire ends     | locked         |
locked          | cover opens   | tampered       | tampered
locked          | cover shuts   | locked         |
locked          | time passes   | locked         |
unlocked        | contact opens | open R         | opened
unlocked        | contact shuts | unlocked R     |
unlocked        | exit pressed  | unlocked R     | unlocked
unlocked        | exit let go   | unlocked R     |
unlocked        | unlock        | unlocked R     | unlocked
unlocked        | lock          | locked         | locked
unlocked        | fire begins   | unlocked R     | fire
unlocked        | fire ends     | unlocked R     |
unlocked        | cover opens   | tampered R     | tampered
unlocked        | cover shuts   | unlocked R     |
unlocked        | time passes   | unlocked R     |
open, released  | contact opens | open R         |
open, released  | contact shuts | locked         | shut locked
open, released  | exit pressed  | open R         | unlocked
open, released  | exit let go   | open R         |
open, released  | unlock        | open R         | unlocked
open, released  | lock          | open           | locked
open, released  | fire begins   | open R         | fire
open, released  | fire ends     | open R         |
open, released  | cover opens   | tampered R     | tampered
open, released  | cover shuts   | open R         |
open, released  | time passes   | open R         |
open, locked    | contact opens | open           |
open, locked    | contact shuts | locked         | shut
open, locked    | exit pressed  | open R         | unlocked
open, locked    | exit let go   | open           |
open, locked    | unlock        | open R         | unlocked
open, locked    | lock          | open           |
open, locked    | fire begins   | open R         | fire unlocked
open, locked    | fire ends     | open           |
open, locked    | cover opens   | tampered       | tampered
open, locked    | cover shuts   | open           |
open, locked    | time passes   | open           |
held            | contact opens | held           |
held            | contact shuts | locked         | shut
held            | exit pressed  | held R         | unlocked
held            | exit let go   | held           |
held            | unlock        | held R         | unlocked
held            | lock          | held           |
held            | fire begins   | held R         | fire unlocked
held            | fire ends     | held           |
held            | cover opens   | tampered       | tampered
held            | cover shuts   | held           |
held            | time passes   | held           |
forced          | contact opens | forced         |
forced          | contact shuts | locked         | shut
forced          | exit pressed  | forced R       | unlocked
forced          | exit let go   | forced         |
forced          | unlock        | forced R       | unlocked
forced          | lock          | forced         |
forced          | fire begins   | forced R       | fire unlocked
forced          | fire ends     | forced         |
forced          | cover opens   | tampered       | tampered
forced          | cover shuts   | forced         |
forced          | time passes   | forced         |
tampered        | contact opens | tampered       | forced
tampered        | contact shuts | tampered       |
tampered        | exit pressed  | tampered R     | unlocked
tampered        | exit let go   | tampered       |
tampered        | unlock        | tampered R     | unlocked
tampered        | lock          | tampered       |
tampered        | fire begins   | tampered R     | fire unlocked
tampered        | fire ends     | tampered       |
tampered        | cover opens   | tampered       |
tampered        | cover shuts   | locked         | tampered
tampered        | time passes   | tampered       |
fire            | contact opens | open R         | opened
fire            | contact shuts | unlocked R     |
fire            | exit pressed  | unlocked R     | unlocked
fire            | exit let go   | unlocked R     |
fire            | unlock        | unlocked R     | unlocked
fire            | lock          | unlocked R     |
fire            | fire begins   | unlocked R     |
fire            | fire ends     | locked         | fire locked
fire            | cover opens   | tampered R     | tampered
fire            | cover shuts   | unlocked R     |
fire            | time passes   | unlocked R     |
`
  .trim()
  .split('\n')
  .map((row) => row.split('|').map((cell) => cell.trim()) as [string, string, string, string])

test('the table has every state and every input', () => {
  const rows = MATRIX.map(([state, input]) => `${state} | ${input}`).sort()
  const all = Object.keys(STATES).flatMap((state) => Object.keys(INPUTS).map((input) => `${state} | ${input}`))
  expect(rows).toEqual(all.sort())
})

test.each(MATRIX)('%s: %s', (state, input, expected, told) => {
  const { door, facts } = step(STATES[state]!, INPUTS[input]!, RULES)
  expect(`${stateOf(door)}${isReleased(door) ? ' R' : ''}`).toBe(expected)
  expect(facts.map(({ kind }) => kind).join(' ')).toBe(told)
})

test('a release is over after its time, also when it is nearest by a later input', () => {
  const { door, facts } = step(released, { kind: 'time', nowMs: NOW + 3000 }, RULES)
  expect([stateOf(door), facts.map(({ kind }) => kind)]).toEqual(['locked', ['locked']])
  const late = step(released, { kind: 'contact', open: true, nowMs: NOW + 5000 }, RULES)
  // The lock fell back in the same moment: who pushed the door then was on the way through.
  expect(late.facts.map(({ kind }) => kind)).toEqual(['locked', 'opened'])
})

test('a door that stands open is held after its time, once', () => {
  const open = { ...shut, open: true, openSinceMs: NOW }
  expect(nextDeadlineMs(open, RULES)).toBe(NOW + 30_000)
  const first = step(open, { kind: 'time', nowMs: NOW + 30_000 }, RULES)
  expect(first.facts).toEqual([{ kind: 'held', forMs: 30_000 }])
  expect(step(first.door, { kind: 'time', nowMs: NOW + 60_000 }, RULES).facts).toEqual([])
  expect(nextDeadlineMs(first.door, RULES)).toBeUndefined()
})

test('a lock that falls back when the door opens lets the person through', () => {
  const { door, facts } = step(released, { kind: 'contact', open: true, nowMs: NOW }, { ...RULES, relockOn: 'open' })
  expect([stateOf(door), isReleased(door), facts.map(({ kind }) => kind)]).toEqual([
    'open',
    false,
    ['opened', 'locked'],
  ])
})

const anyInput: fc.Arbitrary<(nowMs: number) => Input> = fc.oneof(
  fc.boolean().map(
    (open) =>
      (nowMs: number): Input => ({ kind: 'contact', open, nowMs }),
  ),
  fc.boolean().map(
    (pressed) =>
      (nowMs: number): Input => ({ kind: 'exit', pressed, nowMs }),
  ),
  fc.boolean().map(
    (active) =>
      (nowMs: number): Input => ({ kind: 'fire', active, nowMs }),
  ),
  fc.boolean().map(
    (active) =>
      (nowMs: number): Input => ({ kind: 'tamper', active, nowMs }),
  ),
  fc.constant((nowMs: number): Input => ({ kind: 'unlock', by: 'property', nowMs })),
  fc.constant((nowMs: number): Input => ({ kind: 'lock', nowMs })),
  fc.constant((nowMs: number): Input => ({ kind: 'time', nowMs })),
)
const sequence = fc.array(fc.tuple(fc.integer({ min: 0, max: 40_000 }), anyInput), { maxLength: 60 })
const relockOn = fc.constantFrom('open', 'close', 'timeout')

test('whatever happens: the lock is released only for a cause, for no longer than its time, and the exit button and a fire always are one', () => {
  fc.assert(
    fc.property(sequence, relockOn, (inputs, when) => {
      const rules = { ...RULES, relockOn: when }
      let door = shut
      let nowMs = 0
      let causeMs = Number.NEGATIVE_INFINITY
      for (const [afterMs, make] of inputs) {
        nowMs += afterMs
        const input = make(nowMs)
        const next = step(door, input, rules)
        if ((input.kind === 'exit' && input.pressed) || input.kind === 'unlock') causeMs = nowMs
        if (isReleased(next.door)) expect(next.door.fire || nowMs - causeMs < rules.unlockForMs).toBe(true)
        if ((input.kind === 'exit' && input.pressed) || next.door.fire) expect(isReleased(next.door)).toBe(true)
        if (!isReleased(door) && isReleased(next.door))
          expect(next.facts.some(({ kind }) => kind === 'unlocked')).toBe(true)
        door = next.door
      }
    }),
    { numRuns: 1000 },
  )
})

test('a start releases nothing, but for a fire that burns already', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.boolean(), fc.boolean(), (open, fire, tampered) => {
      expect(isReleased(foundDoor({ open, fire, tampered }, 0))).toBe(fire)
    }),
  )
})
