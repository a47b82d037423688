import type { Json, Seen } from '../../gateway/contract/event.ts'
import { type Door, type Fact, isReleased, stateOf } from './door.ts'

/** What one step of a door is as events: each fact that somebody waits for, then how the door stands where that changed. */
export function seenOf(
  device: string,
  { before, after, facts }: { readonly before: Door; readonly after: Door; readonly facts: readonly Fact[] },
  monoMs: number,
): readonly Seen[] {
  const events = facts.flatMap((fact): Seen[] => {
    const event = eventOf(fact)
    return event === undefined ? [] : [{ device, privacy: 'public', monoMs, ...event }]
  })
  const cause = facts[0] === undefined ? undefined : causeOf(facts[0])
  if (cause === undefined || (stateOf(before) === stateOf(after) && isReleased(before) === isReleased(after))) {
    return events
  }
  return [...events, stateSeen(device, after, { cause }, monoMs)]
}

/** How the door stands. @param more the cause, or that it was found so */
export function stateSeen(device: string, door: Door, more: Readonly<Record<string, Json>>, monoMs: number): Seen {
  const data = { state: stateOf(door), released: isReleased(door), ...more }
  return { device, type: 'linli.door.state', class: 'status', privacy: 'public', monoMs, data }
}

type Event = Pick<Seen, 'type' | 'class' | 'data'> & Partial<Pick<Seen, 'privacy'>>

/** Undefined for what only the state tells: that it opened, shut, locked, or has a fault. */
function eventOf(fact: Fact): Event | undefined {
  switch (fact.kind) {
    case 'unlocked': {
      const { cause, asker } = fact
      // Who let somebody in is a person, or leads to one.
      return {
        type: 'linli.door.unlocked',
        class: 'audit',
        ...(asker && { privacy: 'personal' }),
        data: { cause, ...asker },
      }
    }
    case 'forced':
      return { type: 'linli.door.forced', class: 'alarm', data: {} }
    case 'held':
      return { type: 'linli.door.held', class: 'alarm', data: { seconds: Math.round(fact.forMs / 1000) } }
    case 'exit-stuck':
      return { type: 'linli.door.exit-stuck', class: 'alarm', data: { seconds: Math.round(fact.forMs / 1000) } }
    case 'tampered':
      return { type: 'linli.door.tampered', class: 'alarm', data: { active: fact.active } }
    case 'fire':
      return { type: fact.active ? 'linli.fire.active' : 'linli.fire.cleared', class: 'alarm', data: {} }
    case 'faulted':
    case 'locked':
    case 'opened':
    case 'shut':
      return undefined
    default:
      return fact satisfies never
  }
}

/** One word for why the door stands as it does. */
function causeOf(fact: Fact): string {
  switch (fact.kind) {
    case 'unlocked':
      return fact.cause
    case 'fire':
    case 'tampered':
    case 'faulted': {
      const noun = { fire: 'fire', tampered: 'tamper', faulted: 'fault' }[fact.kind]
      return fact.active ? noun : `${noun}-over`
    }
    case 'forced':
    case 'held':
    case 'exit-stuck':
    case 'locked':
    case 'opened':
    case 'shut':
      return fact.kind
    default:
      return fact satisfies never
  }
}
