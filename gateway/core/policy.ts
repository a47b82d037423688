import type { Reach } from '../contract/fault.ts'

/** What the supervisor does about a fault that ended a connection. */
export type Action = { readonly kind: 'restart'; readonly afterMs: number } | { readonly kind: 'park' }

interface Policy {
  /** `restart`: run the connection again after a pause; `park`: leave it until its settings change. */
  readonly whenThrown: 'restart' | 'park'
  readonly firstPauseMs: number
  readonly longestPauseMs: number
}

/**
 * The one table of what follows from a fault (design, section 4). Reply, point and device faults are dealt with
 * inside a driver, which alone knows the wire; one that gets out all the same costs a restart of its connection.
 */
const POLICIES: Record<Reach, Policy> = {
  reply: { whenThrown: 'restart', firstPauseMs: 200, longestPauseMs: 10_000 },
  point: { whenThrown: 'restart', firstPauseMs: 200, longestPauseMs: 10_000 },
  device: { whenThrown: 'restart', firstPauseMs: 500, longestPauseMs: 30_000 },
  connection: { whenThrown: 'restart', firstPauseMs: 500, longestPauseMs: 60_000 },
  setup: { whenThrown: 'park', firstPauseMs: 0, longestPauseMs: 0 },
}

/** A connection that ran this long was well: its next fault is a first one again. */
export const WELL_AFTER_MS = 60_000

/**
 * What to do about the n-th fault in a row. The pause doubles and is spread over its upper half, so that
 * cameras which went down together do not come back in one second.
 * @param attempt 0 for the first fault since the connection was well
 * @param chance uniform in [0, 1)
 */
export function actionFor(reach: Reach, attempt: number, chance: number): Action {
  const policy = POLICIES[reach]
  if (policy.whenThrown === 'park') return { kind: 'park' }
  const ceilingMs = Math.min(policy.longestPauseMs, policy.firstPauseMs * 2 ** Math.min(attempt, 20))
  return { kind: 'restart', afterMs: ceilingMs / 2 + (ceilingMs / 2) * chance }
}
