import fc from 'fast-check'
import type { ClockState } from '../../../../gateway/contract/clock.ts'
import { EVENT_CLASSES, type EventClass } from '../../../../gateway/contract/event.ts'

/** What can be done to a log: see `keeping-model.ts`. */
const HOUR_MS = 3_600_000
const CONSUMERS = ['city', 'lab'] as const

export type Step =
  | { readonly do: 'append'; readonly class: EventClass; readonly count: number; readonly chars: number }
  | {
      readonly do: 'confirm'
      readonly consumer: string
      readonly part: number
      readonly classes: readonly EventClass[]
    }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'jump'; readonly byMs: number; readonly state: ClockState }
  | { readonly do: 'reopen' | 'crash' }

export interface Plan {
  readonly maxBytes: number
  readonly required: readonly { readonly consumer: string; readonly classes: readonly EventClass[] }[]
  /** So much is appended before anybody looks. */
  readonly fillBytes: number
  readonly steps: readonly Step[]
}

const part = fc.double({ min: 0, max: 1, noNaN: true })
const someClasses = fc.subarray([...EVENT_CLASSES], { minLength: 1 })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      class: fc.oneof({ weight: 3, arbitrary: fc.constant('telemetry' as const) }, fc.constantFrom(...EVENT_CLASSES)),
      count: fc.integer({ min: 1, max: 150 }),
      chars: fc.integer({ min: 0, max: 500 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('confirm' as const),
      consumer: fc.constantFrom(...CONSUMERS),
      part,
      classes: someClasses,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ max: 3 * HOUR_MS, min: 0 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('jump' as const),
      byMs: fc.constantFrom(0, -24 * HOUR_MS, 87_600 * HOUR_MS, HOUR_MS / 2),
      state: fc.constantFrom<ClockState>('never', 'unsynced', 'holdover', 'synced', 'synced'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('reopen' as const, 'crash' as const) }) },
)

export function anyPlan(steps: number): fc.Arbitrary<Plan> {
  return fc.record({
    maxBytes: fc.constantFrom(1_200_000, 2_000_000),
    required: fc.subarray(CONSUMERS.map((consumer) => ({ consumer, classes: EVENT_CLASSES }))),
    fillBytes: fc.integer({ min: 0, max: 1_600_000 }),
    steps: fc.array(anyStep, { minLength: steps, maxLength: steps }),
  })
}
