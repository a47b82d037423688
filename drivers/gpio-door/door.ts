/**
 * A door as a function: what it was, what is seen now, what it is then, and what is to be told. It knows no pins,
 * no clock and no cards. The lock is released only for a cause; an exit button and a fire always are one.
 */
export interface DoorRules {
  /** How long the lock stays released for one cause. */
  readonly unlockForMs: number
  /** A door that stands open for longer is held. */
  readonly heldAfterMs: number
  /** When the lock falls back before its time is over: as soon as the door opens, when it is shut again, or never. */
  readonly relockOn: 'open' | 'close' | 'timeout'
}

export type Cause = 'exit-button' | 'command' | 'fire'

export interface Door {
  readonly open: boolean
  readonly openSinceMs: number
  /** The lock is released until then, for this cause; undefined while it is locked. */
  readonly released: { readonly untilMs: number; readonly cause: Cause; readonly by?: string } | undefined
  /** Opened while nothing had released it; over when it is shut. */
  readonly forced: boolean
  readonly held: boolean
  readonly tampered: boolean
  readonly fire: boolean
  /** When the lock fell back, for the moment in which somebody is still on the way through. */
  readonly relockedMs: number
}

export type Input = { readonly nowMs: number } & (
  | { readonly kind: 'contact'; readonly open: boolean }
  | { readonly kind: 'exit'; readonly pressed: boolean }
  | { readonly kind: 'fire'; readonly active: boolean }
  | { readonly kind: 'tamper'; readonly active: boolean }
  | { readonly kind: 'unlock'; readonly by: string }
  | { readonly kind: 'lock' }
  | { readonly kind: 'time' }
)

/** What happened, to be told as events. */
export type Fact =
  | { readonly kind: 'unlocked'; readonly cause: Cause; readonly by?: string }
  | { readonly kind: 'locked' }
  | { readonly kind: 'opened' }
  | { readonly kind: 'shut' }
  | { readonly kind: 'forced' }
  | { readonly kind: 'held'; readonly forMs: number }
  | { readonly kind: 'tampered'; readonly active: boolean }
  | { readonly kind: 'fire'; readonly active: boolean }

export interface Step {
  readonly door: Door
  readonly facts: readonly Fact[]
}

/** Who pushed the door just before the lock fell back forces nothing. */
const STILL_PASSING_MS = 1000

/** The door as it is found, at a start or after edges were lost: nothing is released, nothing is an alarm by itself. */
export function foundDoor(
  levels: { readonly open: boolean; readonly fire: boolean; readonly tampered: boolean },
  nowMs: number,
): Door {
  return {
    open: levels.open,
    openSinceMs: nowMs,
    released: undefined,
    forced: false,
    held: false,
    tampered: levels.tampered,
    fire: levels.fire,
    relockedMs: Number.NEGATIVE_INFINITY,
  }
}

/** Whether the lock is to be released. */
export function isReleased(door: Door): boolean {
  return door.fire || door.released !== undefined
}

export type DoorState = 'locked' | 'unlocked' | 'open' | 'held' | 'forced' | 'tampered'

/** One word for people; what is worst comes first. */
export function stateOf(door: Door): DoorState {
  if (door.tampered) return 'tampered'
  if (door.forced) return 'forced'
  if (door.held) return 'held'
  if (door.open) return 'open'
  return isReleased(door) ? 'unlocked' : 'locked'
}

/** When time alone changes something next; undefined when it does not. */
export function nextDeadlineMs(door: Door, rules: DoorRules): number | undefined {
  const deadlines = [
    ...(door.released === undefined ? [] : [door.released.untilMs]),
    ...(door.open && !door.held && !door.forced ? [door.openSinceMs + rules.heldAfterMs] : []),
  ]
  return deadlines.length === 0 ? undefined : Math.min(...deadlines)
}

/** One step. What time alone brings about by `nowMs` comes before the input. */
export function step(door: Door, input: Input, rules: DoorRules): Step {
  const passed = pass(door, input.nowMs, rules)
  const next = take(passed.door, input, rules)
  return { door: next.door, facts: [...passed.facts, ...next.facts] }
}

function take(door: Door, input: Input, rules: DoorRules): Step {
  const { nowMs } = input
  switch (input.kind) {
    case 'contact':
      if (input.open === door.open) return { door, facts: [] }
      return input.open ? opened(door, nowMs, rules) : shut(door, nowMs, rules)
    case 'exit':
      return input.pressed ? release(door, { cause: 'exit-button' }, nowMs, rules) : { door, facts: [] }
    case 'unlock':
      return release(door, { cause: 'command', by: input.by }, nowMs, rules)
    case 'lock':
      return relock(door, nowMs)
    case 'fire':
      return input.active === door.fire ? { door, facts: [] } : fire(door, input.active, nowMs)
    case 'tamper':
      if (input.active === door.tampered) return { door, facts: [] }
      return { door: { ...door, tampered: input.active }, facts: [{ kind: 'tampered', active: input.active }] }
    case 'time':
      return { door, facts: [] }
    default:
      return input satisfies never
  }
}

function pass(door: Door, nowMs: number, rules: DoorRules): Step {
  const relocked =
    door.released !== undefined && nowMs >= door.released.untilMs ? relock(door, nowMs) : { door, facts: [] }
  const heldMs = nowMs - relocked.door.openSinceMs
  const { open, held, forced } = relocked.door
  if (!open || held || forced || heldMs < rules.heldAfterMs) return relocked
  return { door: { ...relocked.door, held: true }, facts: [...relocked.facts, { kind: 'held', forMs: heldMs }] }
}

function release(door: Door, by: { cause: Cause; by?: string }, nowMs: number, rules: DoorRules): Step {
  const released = { ...by, untilMs: nowMs + rules.unlockForMs }
  return { door: { ...door, released }, facts: [{ kind: 'unlocked', ...by }] }
}

function relock(door: Door, nowMs: number): Step {
  if (door.released === undefined) return { door, facts: [] }
  const locked = { ...door, released: undefined, relockedMs: nowMs }
  return { door: locked, facts: isReleased(locked) ? [] : [{ kind: 'locked' }] }
}

function opened(door: Door, nowMs: number, rules: DoorRules): Step {
  const allowed = isReleased(door) || nowMs - door.relockedMs <= STILL_PASSING_MS
  const open: Door = { ...door, open: true, openSinceMs: nowMs, forced: !allowed }
  const fact: Fact = allowed ? { kind: 'opened' } : { kind: 'forced' }
  const after = rules.relockOn === 'open' ? relock(open, nowMs) : { door: open, facts: [] }
  return { door: after.door, facts: [fact, ...after.facts] }
}

function shut(door: Door, nowMs: number, rules: DoorRules): Step {
  const closed: Door = { ...door, open: false, forced: false, held: false }
  const after = rules.relockOn === 'close' ? relock(closed, nowMs) : { door: closed, facts: [] }
  return { door: after.door, facts: [{ kind: 'shut' }, ...after.facts] }
}

/** Fire overrules everything; when it is over the door is locked unless something else still releases it. */
function fire(door: Door, active: boolean, nowMs: number): Step {
  const changed = { ...door, fire: active, relockedMs: active ? door.relockedMs : nowMs }
  const facts: Fact[] = [{ kind: 'fire', active }]
  if (active && !isReleased(door)) facts.push({ kind: 'unlocked', cause: 'fire' })
  if (!active && !isReleased(changed)) facts.push({ kind: 'locked' })
  return { door: changed, facts }
}
