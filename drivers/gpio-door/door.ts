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

/** Who asked for a release, where somebody did: the record names them. */
export interface Asker {
  readonly by: string
  readonly command: string
}

/** One passage that somebody was given. */
export interface Grant {
  readonly untilMs: number
  readonly cause: 'exit-button' | 'command'
  /** The door was opened with it. Only then its opening or shutting ends it: who asked meanwhile still waits. */
  readonly used: boolean
}

export interface Door {
  readonly open: boolean
  /** From here on counts how long it stands open. */
  readonly openSinceMs: number
  readonly grant: Grant | undefined
  /** `found` is pressed since before we looked: no cause, because a start is to give no edge. */
  readonly exit: 'up' | 'pressed' | 'found'
  readonly exitSinceMs: number
  /** It was told that the button stays down. */
  readonly exitStuck: boolean
  /** `clearing`: the panel has let go, and a flicker of its contact is waited out. Released until it is `quiet`. */
  readonly fire: 'quiet' | 'active' | 'clearing'
  readonly fireClearMs: number
  /** Opened while nothing had released it; over when it is shut. */
  readonly forced: boolean
  readonly held: boolean
  readonly tampered: boolean
  /** What the lines say can't be relied on: nothing is granted, a way out stays one. */
  readonly faulted: boolean
  /** When the lock fell back, for the moment in which somebody is still on the way through. */
  readonly relockedMs: number
}

export type Input = { readonly nowMs: number } & (
  | { readonly kind: 'contact'; readonly open: boolean }
  | { readonly kind: 'exit'; readonly pressed: boolean }
  | { readonly kind: 'fire'; readonly active: boolean }
  | { readonly kind: 'tamper'; readonly active: boolean }
  | { readonly kind: 'unlock'; readonly asker: Asker }
  | { readonly kind: 'lock' }
  | { readonly kind: 'fault'; readonly active: boolean }
  | { readonly kind: 'time' }
)

/** What happened, to be told as events. */
export type Fact =
  | { readonly kind: 'unlocked'; readonly cause: Cause; readonly asker?: Asker }
  | { readonly kind: 'locked' }
  | { readonly kind: 'opened' }
  | { readonly kind: 'shut' }
  | { readonly kind: 'forced' }
  | { readonly kind: 'held'; readonly forMs: number }
  | { readonly kind: 'exit-stuck'; readonly forMs: number }
  | { readonly kind: 'tampered'; readonly active: boolean }
  | { readonly kind: 'fire'; readonly active: boolean }
  | { readonly kind: 'faulted'; readonly active: boolean }

export interface Step {
  readonly door: Door
  readonly facts: readonly Fact[]
}

/** Who pushed the door just before the lock fell back forces nothing. */
export const STILL_PASSING_MS = 1000
/** A panel's contact that lets go for less than this did not let go. It releases at once. */
export const FIRE_CLEAR_MS = 1000
/** A button that is down for longer is jammed, or wired the wrong way round. */
export const EXIT_STUCK_MS = 60_000
/** Presses so close to each other are one, of a button that chatters: they release, but are told once. */
export const CHATTER_MS = 500

export interface FoundLevels {
  readonly open: boolean
  readonly exit: boolean
  readonly fire: boolean
  readonly tampered: boolean
}

/** The door as it is found at a start: nothing is released and nothing is an alarm, but for a fire that is on. */
export function foundDoor(levels: FoundLevels, nowMs: number): Step {
  const quiet: Door = {
    open: levels.open,
    openSinceMs: nowMs,
    grant: undefined,
    exit: levels.exit ? 'found' : 'up',
    exitSinceMs: nowMs,
    exitStuck: false,
    fire: 'quiet',
    fireClearMs: 0,
    forced: false,
    held: false,
    tampered: levels.tampered,
    faulted: false,
    relockedMs: Number.NEGATIVE_INFINITY,
  }
  return levels.fire ? fire(quiet, true, nowMs) : { door: quiet, facts: [] }
}

/** Whether the lock is to be released. */
export function isReleased({ fire, exit, grant }: Door): boolean {
  return fire !== 'quiet' || exit === 'pressed' || grant !== undefined
}

/** The level of every output: a function of the state, and of nothing else. */
export function outputsOf(door: Door): { readonly lock: 'active' | 'inactive' } {
  return { lock: isReleased(door) ? 'active' : 'inactive' }
}

export const DOOR_STATES = ['locked', 'unlocked', 'open', 'held', 'forced', 'tampered', 'faulted'] as const
export type DoorState = (typeof DOOR_STATES)[number]

/** One word for people; what is worst comes first. */
export function stateOf(door: Door): DoorState {
  if (door.faulted) return 'faulted'
  if (door.tampered) return 'tampered'
  if (door.forced) return 'forced'
  if (door.held) return 'held'
  if (door.open) return 'open'
  return isReleased(door) ? 'unlocked' : 'locked'
}

/** Why a command can't be followed now; undefined when it can. */
export function refusalOf(door: Door, verb: 'unlock' | 'lock'): string | undefined {
  if (door.faulted) return 'the lines of the door have a fault'
  if (verb === 'unlock') return undefined
  if (door.fire !== 'quiet') return 'the fire panel holds the door released'
  return door.exit === 'pressed' ? 'somebody presses the exit button' : undefined
}

/** When time alone changes something next; undefined when it does not. */
export function nextDeadlineMs(door: Door, rules: DoorRules): number | undefined {
  const deadlines = [
    ...(door.grant === undefined ? [] : [door.grant.untilMs]),
    ...(countsAsHeld(door) ? [door.openSinceMs + rules.heldAfterMs] : []),
    ...(door.exit !== 'up' && !door.exitStuck ? [door.exitSinceMs + EXIT_STUCK_MS] : []),
    ...(door.fire === 'clearing' ? [door.fireClearMs] : []),
  ]
  return deadlines.length === 0 ? undefined : Math.min(...deadlines)
}

/** One step. What time alone brings about by `nowMs` comes before the input. */
export function step(door: Door, input: Input, rules: DoorRules): Step {
  const passed = pass(door, input.nowMs, rules)
  const next = settled(passed.door, take(passed.door, input, rules), input.nowMs)
  return { door: next.door, facts: [...passed.facts, ...next.facts] }
}

/** The lock falls back when nothing releases it any more: told here, whatever the reason. */
function settled(before: Door, { door, facts }: Step, nowMs: number): Step {
  if (!isReleased(before) || isReleased(door)) return { door, facts }
  return { door: { ...door, relockedMs: nowMs }, facts: [...facts, { kind: 'locked' }] }
}

function take(door: Door, input: Input, rules: DoorRules): Step {
  const { nowMs } = input
  switch (input.kind) {
    case 'contact':
      if (input.open === door.open) return unchanged(door)
      return input.open ? opened(door, nowMs, rules) : shut(door, rules)
    case 'exit':
      return exit(door, input.pressed, nowMs, rules)
    case 'unlock':
      return door.faulted ? unchanged(door) : unlock(door, input.asker, nowMs, rules)
    case 'lock':
      return refusalOf(door, 'lock') === undefined ? unchanged({ ...door, grant: undefined }) : unchanged(door)
    case 'fire':
      return fire(door, input.active, nowMs)
    case 'tamper':
      if (input.active === door.tampered) return unchanged(door)
      return { door: { ...door, tampered: input.active }, facts: [{ kind: 'tampered', active: input.active }] }
    case 'fault':
      if (input.active === door.faulted) return unchanged(door)
      return {
        door: { ...door, faulted: input.active, grant: undefined },
        facts: [{ kind: 'faulted', active: input.active }],
      }
    case 'time':
      return unchanged(door)
    default:
      return input satisfies never
  }
}

function unchanged(door: Door): Step {
  return { door, facts: [] }
}

/** What time brings about: the end of a grant, of a fire, a door that is held, a button that is stuck. */
function pass(before: Door, nowMs: number, rules: DoorRules): Step {
  let door = before
  const facts: Fact[] = []
  if (door.grant !== undefined && nowMs >= door.grant.untilMs) door = { ...door, grant: undefined }
  if (door.fire === 'clearing' && nowMs >= door.fireClearMs) {
    // Whoever left it open left it for a reason: from here on it is to be shut again.
    door = { ...door, fire: 'quiet', openSinceMs: nowMs }
    facts.push({ kind: 'fire', active: false })
  }
  if (countsAsHeld(door) && nowMs - door.openSinceMs >= rules.heldAfterMs) {
    facts.push({ kind: 'held', forMs: nowMs - door.openSinceMs })
    door = { ...door, held: true }
  }
  if (door.exit !== 'up' && !door.exitStuck && nowMs - door.exitSinceMs >= EXIT_STUCK_MS) {
    facts.push({ kind: 'exit-stuck', forMs: nowMs - door.exitSinceMs })
    door = { ...door, exitStuck: true }
  }
  return settled(before, { door, facts }, nowMs)
}

/** A door that was forced is worse than held; one that a fire keeps open is as it should be. */
function countsAsHeld({ open, held, forced, fire }: Door): boolean {
  return open && !held && !forced && fire === 'quiet'
}

function unlock(door: Door, asker: Asker, nowMs: number, rules: DoorRules): Step {
  const grant: Grant = { untilMs: nowMs + rules.unlockForMs, cause: 'command', used: false }
  return { door: { ...door, grant }, facts: [{ kind: 'unlocked', cause: 'command', asker }] }
}

/** Down, it releases for as long as it is held, and for one passage at least. */
function exit(door: Door, pressed: boolean, nowMs: number, rules: DoorRules): Step {
  if (pressed === (door.exit !== 'up')) return unchanged(door)
  const changed = { ...door, exitSinceMs: nowMs, exitStuck: false }
  if (!pressed) return unchanged({ ...changed, exit: 'up' })
  const grant: Grant = { untilMs: nowMs + rules.unlockForMs, cause: 'exit-button', used: false }
  const chatter = door.grant?.cause === 'exit-button' && nowMs - door.exitSinceMs < CHATTER_MS
  return {
    door: { ...changed, exit: 'pressed', grant },
    facts: chatter ? [] : [{ kind: 'unlocked', cause: 'exit-button' }],
  }
}

/** Fire overrules everything, at once; that it is over is believed after a moment. */
function fire(door: Door, active: boolean, nowMs: number): Step {
  if (!active) {
    return unchanged(door.fire === 'active' ? { ...door, fire: 'clearing', fireClearMs: nowMs + FIRE_CLEAR_MS } : door)
  }
  if (door.fire !== 'quiet') return unchanged({ ...door, fire: 'active' })
  const facts: Fact[] = [{ kind: 'fire', active: true }]
  if (!isReleased(door)) facts.push({ kind: 'unlocked', cause: 'fire' })
  return { door: { ...door, fire: 'active', held: false }, facts }
}

function opened(door: Door, nowMs: number, { relockOn }: DoorRules): Step {
  const allowed = isReleased(door) || nowMs - door.relockedMs <= STILL_PASSING_MS
  const grant = door.grant === undefined || relockOn === 'open' ? undefined : { ...door.grant, used: true }
  return {
    door: { ...door, open: true, openSinceMs: nowMs, forced: !allowed, grant },
    facts: [{ kind: allowed ? 'opened' : 'forced' }],
  }
}

function shut(door: Door, { relockOn }: DoorRules): Step {
  const grant = relockOn === 'close' && door.grant?.used === true ? undefined : door.grant
  return { door: { ...door, open: false, forced: false, held: false, grant }, facts: [{ kind: 'shut' }] }
}
