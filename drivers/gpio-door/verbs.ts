import { z } from 'zod'
import type { Verb } from '../../gateway/contract/driver.ts'
import { DOOR_STATES, type Door, stateOf } from './door.ts'

const expectation = z.strictObject({
  open: z.boolean().exactOptional(),
  state: z.enum(DOOR_STATES).exactOptional(),
})

const door: Verb = { arguments: z.strictObject({}), expect: expectation }

/** What a door can be told to do. */
export const doorVerbs = { unlock: door, lock: door } as const

/** What of the expectations is not so, in words. */
export function unmet(expect: object, door: Door): string | undefined {
  const { open, state } = expectation.parse(expect)
  if (open !== undefined && open !== door.open) return `the door is ${door.open ? 'open' : 'shut'}`
  if (state !== undefined && state !== stateOf(door)) return `the door is ${stateOf(door)}, not ${state}`
  return undefined
}
