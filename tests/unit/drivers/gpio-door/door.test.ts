import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  CHATTER_MS,
  type Door,
  type DoorRules,
  EXIT_STUCK_MS,
  type Fact,
  FIRE_CLEAR_MS,
  foundDoor,
  type Input,
  isReleased,
  nextDeadlineMs,
  outputsOf,
  refusalOf,
  STILL_PASSING_MS,
  stateOf,
  step,
} from '../../../../drivers/gpio-door/door.ts'

const RULES: DoorRules = { unlockForMs: 5000, heldAfterMs: 30_000, relockOn: 'close' }
const ASKER = { by: 'property', command: 'c1' }
const LEVELS = { open: false, exit: false, fire: false, tampered: false }
const shut = foundDoor(LEVELS, 0).door

/** A passage as a transcript: each input by its time, then what was told. */
function play(rules: DoorRules, ...inputs: readonly Input[]): { readonly door: Door; readonly told: string } {
  let door = shut
  const told: string[] = []
  for (const input of inputs) {
    const next = step(door, input, rules)
    door = next.door
    told.push(...next.facts.map(({ kind }) => kind))
  }
  return { door, told: told.join(' ') }
}
const contact = (nowMs: number, open: boolean): Input => ({ kind: 'contact', open, nowMs })
const exit = (nowMs: number, pressed: boolean): Input => ({ kind: 'exit', pressed, nowMs })
const fire = (nowMs: number, active: boolean): Input => ({ kind: 'fire', active, nowMs })
const unlock = (nowMs: number): Input => ({ kind: 'unlock', asker: ASKER, nowMs })
const time = (nowMs: number): Input => ({ kind: 'time', nowMs })

test('a release is over after its time, and not a moment before', () => {
  expect(isReleased(play(RULES, unlock(0), time(4999)).door)).toBe(true)
  expect(play(RULES, unlock(0), time(5000))).toMatchObject({ told: 'unlocked locked', door: { grant: undefined } })
})

test('the button releases for as long as it is down, and for one passage at least', () => {
  expect(isReleased(play(RULES, exit(0, true), exit(100, false), time(4999)).door)).toBe(true)
  expect(isReleased(play(RULES, exit(0, true), exit(100, false), time(5000)).door)).toBe(false)
  expect(isReleased(play(RULES, exit(0, true), time(20_000)).door)).toBe(true)
  expect(play(RULES, exit(0, true), time(20_000), exit(20_001, false))).toMatchObject({ told: 'unlocked locked' })
})

test('a button that stays down is told once, and goes on releasing', () => {
  const { door, told } = play(RULES, exit(0, true), time(EXIT_STUCK_MS), time(2 * EXIT_STUCK_MS))
  expect([told, isReleased(door)]).toEqual(['unlocked exit-stuck', true])
  expect(nextDeadlineMs(door, RULES)).toBeUndefined()
})

test('a button that is found down releases nothing, and is told as stuck', () => {
  const found = foundDoor({ ...LEVELS, exit: true }, 0)
  expect([isReleased(found.door), found.facts]).toEqual([false, []])
  const later = step(found.door, time(EXIT_STUCK_MS), RULES)
  expect([isReleased(later.door), later.facts.map(({ kind }) => kind)]).toEqual([false, ['exit-stuck']])
  const again = step(step(later.door, exit(70_000, false), RULES).door, exit(80_000, true), RULES)
  expect(isReleased(again.door)).toBe(true)
})

test('a button that chatters is one press; one pressed again after a while is another', () => {
  const chatter = [0, 2, 4, 6].flatMap((ms) => [exit(ms, true), exit(ms + 1, false)])
  expect(play(RULES, ...chatter)).toMatchObject({ told: 'unlocked', door: { grant: { untilMs: 5006 } } })
  const twice = [exit(0, true), exit(100, false), exit(100 + CHATTER_MS, true)]
  expect(play(RULES, ...twice).told).toBe('unlocked unlocked')
})

test('who pushed the door as the lock fell back forces nothing; a little later it is force', () => {
  const after = (ms: number): string => play(RULES, unlock(0), time(5000), contact(5000 + ms, true)).told
  expect(after(STILL_PASSING_MS)).toBe('unlocked locked opened')
  expect(after(STILL_PASSING_MS + 1)).toBe('unlocked locked forced')
})

test('the lock falls back as the settings say: when the door opens, when it is shut, or only after its time', () => {
  const passage = [unlock(0), contact(1000, true), contact(2000, false)]
  expect(play({ ...RULES, relockOn: 'open' }, ...passage).told).toBe('unlocked opened locked shut')
  expect(play({ ...RULES, relockOn: 'close' }, ...passage).told).toBe('unlocked opened shut locked')
  expect(play({ ...RULES, relockOn: 'timeout' }, ...passage, time(5000)).told).toBe('unlocked opened shut locked')
})

test('who asks while another still stands in the door gets a passage of their own', () => {
  const first = [unlock(0), contact(1000, true)]
  const { door, told } = play(RULES, ...first, exit(1500, true), exit(1600, false), contact(2000, false))
  expect([told, isReleased(door)]).toEqual(['unlocked opened unlocked shut', true])
  expect(stateOf(step(door, contact(3000, true), RULES).door)).toBe('open')
})

test('a door that stands open is held after its time, once, until it is shut', () => {
  const open = play(RULES, unlock(0), contact(1000, true), time(5000)).door
  expect(nextDeadlineMs(open, RULES)).toBe(31_000)
  const first = step(open, time(31_000), RULES)
  expect(first.facts).toEqual([{ kind: 'held', forMs: 30_000 }])
  expect(step(first.door, time(90_000), RULES).facts).toEqual([])
  expect(nextDeadlineMs(first.door, RULES)).toBeUndefined()
  expect(stateOf(step(first.door, contact(90_000, false), RULES).door)).toBe('locked')
})

test('a fire releases at once and until it is over for a moment; a flicker of its contact is nothing', () => {
  const flicker = [fire(0, true), fire(100, false), fire(200, true), fire(300, false)]
  const during = play(RULES, ...flicker, time(300 + FIRE_CLEAR_MS - 1))
  expect([during.told, isReleased(during.door)]).toEqual(['fire unlocked', true])
  const over = play(RULES, ...flicker, time(300 + FIRE_CLEAR_MS))
  expect([over.told, isReleased(over.door)]).toEqual(['fire unlocked fire locked', false])
})

test('while it burns nothing locks the door, and one that stands open is as it should be', () => {
  const burning = play(RULES, fire(0, true), contact(100, true), { kind: 'lock', nowMs: 200 }, time(100_000))
  expect([burning.told, isReleased(burning.door)]).toEqual(['fire unlocked opened', true])
  expect(refusalOf(burning.door, 'lock')).toBe('the fire panel holds the door released')
  const after = step(step(burning.door, fire(100_000, false), RULES).door, time(101_000), RULES).door
  expect([stateOf(after), nextDeadlineMs(after, RULES)]).toEqual(['open', 131_000])
})

test('who presses the button is not locked in by a command', () => {
  const { door } = play(RULES, exit(0, true), { kind: 'lock', nowMs: 100 })
  expect([isReleased(door), refusalOf(door, 'lock')]).toEqual([true, 'somebody presses the exit button'])
})

test('a fault ends what a command gave, refuses the next, and leaves the ways out', () => {
  const { door, told } = play(RULES, unlock(0), { kind: 'fault', active: true, nowMs: 100 }, unlock(200))
  expect([told, stateOf(door), outputsOf(door)]).toEqual(['unlocked faulted locked', 'faulted', { lock: 'inactive' }])
  expect(refusalOf(door, 'unlock')).toBe('the lines of the door have a fault')
  expect(isReleased(step(door, exit(300, true), RULES).door)).toBe(true)
  expect(isReleased(step(door, fire(300, true), RULES).door)).toBe(true)
})

const flag = fc.boolean()
const anyInput: fc.Arbitrary<(nowMs: number) => Input> = fc.oneof(
  flag.map((open) => (nowMs: number) => contact(nowMs, open)),
  flag.map((pressed) => (nowMs: number) => exit(nowMs, pressed)),
  flag.map((active) => (nowMs: number) => fire(nowMs, active)),
  flag.map(
    (active) =>
      (nowMs: number): Input => ({ kind: 'tamper', active, nowMs }),
  ),
  flag.map(
    (active) =>
      (nowMs: number): Input => ({ kind: 'fault', active, nowMs }),
  ),
  fc.constantFrom(unlock, time, (nowMs: number): Input => ({ kind: 'lock', nowMs })),
)
const gap = fc.oneof(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 0, max: 40_000 }))
const sequence = fc.array(fc.tuple(gap, anyInput), { maxLength: 60 })
const rulesToTry = fc.record({
  unlockForMs: fc.integer({ min: 200, max: 20_000 }),
  heldAfterMs: fc.integer({ min: 1000, max: 60_000 }),
  relockOn: fc.constantFrom('open' as const, 'close' as const, 'timeout' as const),
})
const levels = fc.record({ open: flag, exit: flag, fire: flag, tampered: flag })

/** Plays a sequence, and looks at the door before and after each input. */
function watch(
  rules: DoorRules,
  start: Door,
  inputs: readonly (readonly [number, (nowMs: number) => Input])[],
  look: (seen: { before: Door; input: Input; after: Door; facts: readonly Fact[] }) => void,
): { readonly door: Door; readonly nowMs: number } {
  let door = start
  let nowMs = 0
  for (const [afterMs, make] of inputs) {
    nowMs += afterMs
    const input = make(nowMs)
    const next = step(door, input, rules)
    look({ before: door, input, after: next.door, facts: next.facts })
    door = next.door
  }
  return { door, nowMs }
}

test('whatever happens, the lock is released for a cause only, and every release and its end is told', () => {
  fc.assert(
    fc.property(sequence, rulesToTry, (inputs, rules) => {
      // What an onlooker knows who sees the inputs and nothing of the machine.
      let [asked, pressed, burning, quietSince] = [Number.NEGATIVE_INFINITY, false, false, Number.NEGATIVE_INFINITY]
      watch(rules, shut, inputs, ({ before, input, after, facts }) => {
        if (input.kind === 'exit') {
          if (input.pressed && !pressed) asked = input.nowMs
          pressed = input.pressed
        }
        if (input.kind === 'unlock') asked = input.nowMs
        if (input.kind === 'fire') {
          if (burning && !input.active) quietSince = input.nowMs
          burning = input.active
        }
        const cause =
          pressed || burning || input.nowMs - asked < rules.unlockForMs || input.nowMs - quietSince < FIRE_CLEAR_MS
        if (isReleased(after)) expect(cause).toBe(true)
        const told = facts.filter(({ kind }) => kind === 'unlocked' || kind === 'locked').map(({ kind }) => kind)
        if (!isReleased(before) && isReleased(after)) expect(told.at(-1)).toBe('unlocked')
        if (isReleased(before) && !isReleased(after)) expect(told.at(-1)).toBe('locked')
      })
    }),
    { numRuns: 2000 },
  )
})

test('whatever happened before and happens meanwhile, who presses the button gets out', () => {
  const meanwhile = sequence.map((inputs) => inputs.filter(([, make]) => make(0).kind !== 'exit'))
  fc.assert(
    fc.property(levels, sequence, rulesToTry, meanwhile, (found, inputs, rules, others) => {
      const before = watch(rules, foundDoor(found, 0).door, inputs, () => undefined)
      const up = step(before.door, exit(before.nowMs, false), rules).door
      const press = step(up, exit(before.nowMs + 1, true), rules)
      expect(outputsOf(press.door)).toEqual({ lock: 'active' })
      let [door, nowMs] = [press.door, before.nowMs + 1]
      for (const [afterMs, make] of others) {
        nowMs += afterMs
        door = step(door, make(nowMs), rules).door
        expect(outputsOf(door)).toEqual({ lock: 'active' })
      }
    }),
    { numRuns: 1000 },
  )
})

test('a fire releases whatever else is so, until it is over', () => {
  fc.assert(
    fc.property(levels, sequence, rulesToTry, (found, inputs, rules) => {
      let burning = found.fire
      watch(rules, foundDoor(found, 0).door, inputs, ({ input, after }) => {
        if (input.kind === 'fire') burning = input.active
        if (burning) expect(outputsOf(after)).toEqual({ lock: 'active' })
      })
    }),
    { numRuns: 1000 },
  )
})

test('a start releases nothing and raises no alarm, but for a fire that burns already', () => {
  fc.assert(
    fc.property(levels, (found) => {
      const { door, facts } = foundDoor(found, 0)
      expect(outputsOf(door)).toEqual({ lock: found.fire ? 'active' : 'inactive' })
      expect(facts.map(({ kind }) => kind)).toEqual(found.fire ? ['fire', 'unlocked'] : [])
    }),
  )
})

test('levels that are read again and are as they were change nothing and say nothing', () => {
  fc.assert(
    fc.property(levels, sequence, rulesToTry, (found, inputs, rules) => {
      const { door, nowMs } = watch(rules, foundDoor(found, 0).door, inputs, () => undefined)
      const now = step(door, time(nowMs), rules).door
      for (const input of [
        contact(nowMs, now.open),
        exit(nowMs, now.exit !== 'up'),
        fire(nowMs, now.fire === 'active'),
        { kind: 'tamper', active: now.tampered, nowMs } as const,
      ]) {
        expect(step(now, input, rules)).toEqual({ door: now, facts: [] })
      }
    }),
    { numRuns: 1000 },
  )
})

test('left alone, every door comes to rest: its deadlines come to an end, and the lock has fallen', () => {
  fc.assert(
    fc.property(levels, sequence, rulesToTry, (found, inputs, rules) => {
      const end = watch(rules, foundDoor(found, 0).door, inputs, () => undefined)
      let door = step(step(end.door, exit(end.nowMs, false), rules).door, fire(end.nowMs, false), rules).door
      let nowMs = end.nowMs
      // A grant, a fire, a door that is held: nothing else waits for time once the button is up.
      for (let turns = 0; turns < 3; turns++) {
        const dueMs = nextDeadlineMs(door, rules)
        if (dueMs === undefined) break
        nowMs = Math.max(nowMs, dueMs)
        door = step(door, time(nowMs), rules).door
      }
      expect([nextDeadlineMs(door, rules), outputsOf(door)]).toEqual([undefined, { lock: 'inactive' }])
    }),
    { numRuns: 1000 },
  )
})
