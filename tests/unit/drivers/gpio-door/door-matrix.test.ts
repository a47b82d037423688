import { expect, test } from 'vitest'
import {
  type Door,
  type DoorRules,
  foundDoor,
  type Grant,
  type Input,
  outputsOf,
  stateOf,
  step,
} from '../../../../drivers/gpio-door/door.ts'

/** Every state of a door, and what every input makes of it. */
const RULES: DoorRules = { unlockForMs: 5000, heldAfterMs: 30_000, relockOn: 'close' }
const NOW = 100_000

const shut = foundDoor({ open: false, exit: false, fire: false, tampered: false }, 0).door
const grant: Grant = { untilMs: NOW + 3000, cause: 'exit-button', used: false }
const open: Door = { ...shut, open: true, openSinceMs: NOW - 1000 }
const STATES: Readonly<Record<string, Door>> = {
  locked: shut,
  unlocked: { ...shut, grant, exitSinceMs: NOW - 2000 },
  'button down': { ...shut, grant, exit: 'pressed', exitSinceMs: NOW - 2000 },
  'button down for long': { ...shut, exit: 'pressed', exitSinceMs: NOW - 20_000 },
  'button found down': { ...shut, exit: 'found', exitSinceMs: NOW - 1000 },
  'open, released': { ...open, grant: { ...grant, used: true } },
  'open, asked again': { ...open, grant },
  'open, locked': open,
  held: { ...open, openSinceMs: NOW - 60_000, held: true },
  forced: { ...open, forced: true },
  tampered: { ...shut, tampered: true },
  fire: { ...shut, fire: 'active' },
  'fire flickers': { ...shut, fire: 'clearing', fireClearMs: NOW + 500 },
  faulted: { ...shut, faulted: true },
}
const INPUTS: Readonly<Record<string, Input>> = {
  'contact opens': { kind: 'contact', open: true, nowMs: NOW },
  'contact shuts': { kind: 'contact', open: false, nowMs: NOW },
  'exit pressed': { kind: 'exit', pressed: true, nowMs: NOW },
  'exit let go': { kind: 'exit', pressed: false, nowMs: NOW },
  unlock: { kind: 'unlock', asker: { by: 'property', command: 'c1' }, nowMs: NOW },
  lock: { kind: 'lock', nowMs: NOW },
  'fire begins': { kind: 'fire', active: true, nowMs: NOW },
  'fire ends': { kind: 'fire', active: false, nowMs: NOW },
  'cover opens': { kind: 'tamper', active: true, nowMs: NOW },
  'cover shuts': { kind: 'tamper', active: false, nowMs: NOW },
  fault: { kind: 'fault', active: true, nowMs: NOW },
  'fault over': { kind: 'fault', active: false, nowMs: NOW },
  'time passes': { kind: 'time', nowMs: NOW },
}

/** From each state, each input: the word for the door, R where the lock is released, and what is told. */
const MATRIX = `
locked               | contact opens | forced      | forced
locked               | contact shuts | locked      |
locked               | exit pressed  | unlocked R  | unlocked
locked               | exit let go   | locked      |
locked               | unlock        | unlocked R  | unlocked
locked               | lock          | locked      |
locked               | fire begins   | unlocked R  | fire unlocked
locked               | fire ends     | locked      |
locked               | cover opens   | tampered    | tampered
locked               | cover shuts   | locked      |
locked               | fault         | faulted     | faulted
locked               | fault over    | locked      |
locked               | time passes   | locked      |
unlocked             | contact opens | open R      | opened
unlocked             | contact shuts | unlocked R  |
unlocked             | exit pressed  | unlocked R  | unlocked
unlocked             | exit let go   | unlocked R  |
unlocked             | unlock        | unlocked R  | unlocked
unlocked             | lock          | locked      | locked
unlocked             | fire begins   | unlocked R  | fire
unlocked             | fire ends     | unlocked R  |
unlocked             | cover opens   | tampered R  | tampered
unlocked             | cover shuts   | unlocked R  |
unlocked             | fault         | faulted     | faulted locked
unlocked             | fault over    | unlocked R  |
unlocked             | time passes   | unlocked R  |
button down          | contact opens | open R      | opened
button down          | contact shuts | unlocked R  |
button down          | exit pressed  | unlocked R  |
button down          | exit let go   | unlocked R  |
button down          | unlock        | unlocked R  | unlocked
button down          | lock          | unlocked R  |
button down          | fire begins   | unlocked R  | fire
button down          | fire ends     | unlocked R  |
button down          | cover opens   | tampered R  | tampered
button down          | cover shuts   | unlocked R  |
button down          | fault         | faulted R   | faulted
button down          | fault over    | unlocked R  |
button down          | time passes   | unlocked R  |
button down for long | contact opens | open R      | opened
button down for long | contact shuts | unlocked R  |
button down for long | exit pressed  | unlocked R  |
button down for long | exit let go   | locked      | locked
button down for long | unlock        | unlocked R  | unlocked
button down for long | lock          | unlocked R  |
button down for long | fire begins   | unlocked R  | fire
button down for long | fire ends     | unlocked R  |
button down for long | cover opens   | tampered R  | tampered
button down for long | cover shuts   | unlocked R  |
button down for long | fault         | faulted R   | faulted
button down for long | fault over    | unlocked R  |
button down for long | time passes   | unlocked R  |
button found down    | contact opens | forced      | forced
button found down    | contact shuts | locked      |
button found down    | exit pressed  | locked      |
button found down    | exit let go   | locked      |
button found down    | unlock        | unlocked R  | unlocked
button found down    | lock          | locked      |
button found down    | fire begins   | unlocked R  | fire unlocked
button found down    | fire ends     | locked      |
button found down    | cover opens   | tampered    | tampered
button found down    | cover shuts   | locked      |
button found down    | fault         | faulted     | faulted
button found down    | fault over    | locked      |
button found down    | time passes   | locked      |
open, released       | contact opens | open R      |
open, released       | contact shuts | locked      | shut locked
open, released       | exit pressed  | open R      | unlocked
open, released       | exit let go   | open R      |
open, released       | unlock        | open R      | unlocked
open, released       | lock          | open        | locked
open, released       | fire begins   | open R      | fire
open, released       | fire ends     | open R      |
open, released       | cover opens   | tampered R  | tampered
open, released       | cover shuts   | open R      |
open, released       | fault         | faulted     | faulted locked
open, released       | fault over    | open R      |
open, released       | time passes   | open R      |
open, asked again    | contact opens | open R      |
open, asked again    | contact shuts | unlocked R  | shut
open, asked again    | exit pressed  | open R      | unlocked
open, asked again    | exit let go   | open R      |
open, asked again    | unlock        | open R      | unlocked
open, asked again    | lock          | open        | locked
open, asked again    | fire begins   | open R      | fire
open, asked again    | fire ends     | open R      |
open, asked again    | cover opens   | tampered R  | tampered
open, asked again    | cover shuts   | open R      |
open, asked again    | fault         | faulted     | faulted locked
open, asked again    | fault over    | open R      |
open, asked again    | time passes   | open R      |
open, locked         | contact opens | open        |
open, locked         | contact shuts | locked      | shut
open, locked         | exit pressed  | open R      | unlocked
open, locked         | exit let go   | open        |
open, locked         | unlock        | open R      | unlocked
open, locked         | lock          | open        |
open, locked         | fire begins   | open R      | fire unlocked
open, locked         | fire ends     | open        |
open, locked         | cover opens   | tampered    | tampered
open, locked         | cover shuts   | open        |
open, locked         | fault         | faulted     | faulted
open, locked         | fault over    | open        |
open, locked         | time passes   | open        |
held                 | contact opens | held        |
held                 | contact shuts | locked      | shut
held                 | exit pressed  | held R      | unlocked
held                 | exit let go   | held        |
held                 | unlock        | held R      | unlocked
held                 | lock          | held        |
held                 | fire begins   | open R      | fire unlocked
held                 | fire ends     | held        |
held                 | cover opens   | tampered    | tampered
held                 | cover shuts   | held        |
held                 | fault         | faulted     | faulted
held                 | fault over    | held        |
held                 | time passes   | held        |
forced               | contact opens | forced      |
forced               | contact shuts | locked      | shut
forced               | exit pressed  | forced R    | unlocked
forced               | exit let go   | forced      |
forced               | unlock        | forced R    | unlocked
forced               | lock          | forced      |
forced               | fire begins   | forced R    | fire unlocked
forced               | fire ends     | forced      |
forced               | cover opens   | tampered    | tampered
forced               | cover shuts   | forced      |
forced               | fault         | faulted     | faulted
forced               | fault over    | forced      |
forced               | time passes   | forced      |
tampered             | contact opens | tampered    | forced
tampered             | contact shuts | tampered    |
tampered             | exit pressed  | tampered R  | unlocked
tampered             | exit let go   | tampered    |
tampered             | unlock        | tampered R  | unlocked
tampered             | lock          | tampered    |
tampered             | fire begins   | tampered R  | fire unlocked
tampered             | fire ends     | tampered    |
tampered             | cover opens   | tampered    |
tampered             | cover shuts   | locked      | tampered
tampered             | fault         | faulted     | faulted
tampered             | fault over    | tampered    |
tampered             | time passes   | tampered    |
fire                 | contact opens | open R      | opened
fire                 | contact shuts | unlocked R  |
fire                 | exit pressed  | unlocked R  | unlocked
fire                 | exit let go   | unlocked R  |
fire                 | unlock        | unlocked R  | unlocked
fire                 | lock          | unlocked R  |
fire                 | fire begins   | unlocked R  |
fire                 | fire ends     | unlocked R  |
fire                 | cover opens   | tampered R  | tampered
fire                 | cover shuts   | unlocked R  |
fire                 | fault         | faulted R   | faulted
fire                 | fault over    | unlocked R  |
fire                 | time passes   | unlocked R  |
fire flickers        | contact opens | open R      | opened
fire flickers        | contact shuts | unlocked R  |
fire flickers        | exit pressed  | unlocked R  | unlocked
fire flickers        | exit let go   | unlocked R  |
fire flickers        | unlock        | unlocked R  | unlocked
fire flickers        | lock          | unlocked R  |
fire flickers        | fire begins   | unlocked R  |
fire flickers        | fire ends     | unlocked R  |
fire flickers        | cover opens   | tampered R  | tampered
fire flickers        | cover shuts   | unlocked R  |
fire flickers        | fault         | faulted R   | faulted
fire flickers        | fault over    | unlocked R  |
fire flickers        | time passes   | unlocked R  |
faulted              | contact opens | faulted     | forced
faulted              | contact shuts | faulted     |
faulted              | exit pressed  | faulted R   | unlocked
faulted              | exit let go   | faulted     |
faulted              | unlock        | faulted     |
faulted              | lock          | faulted     |
faulted              | fire begins   | faulted R   | fire unlocked
faulted              | fire ends     | faulted     |
faulted              | cover opens   | faulted     | tampered
faulted              | cover shuts   | faulted     |
faulted              | fault         | faulted     |
faulted              | fault over    | locked      | faulted
faulted              | time passes   | faulted     |
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
  expect(`${stateOf(door)}${outputsOf(door).lock === 'active' ? ' R' : ''}`).toBe(expected)
  expect(facts.map(({ kind }) => kind).join(' ')).toBe(told)
})
