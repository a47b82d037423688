import { isFault } from '../contract/fault.ts'
import { type Refusal, StoreTrouble } from './refusal.ts'
import { type Trouble, trouble } from './sqlite.ts'

/** What an error means for the log: one of SQLite, or one that we found ourselves. */
export function meaningOf(error: unknown): Trouble | undefined {
  return error instanceof StoreTrouble ? error.trouble : trouble(error)
}

export function asRefusal(error: unknown): Refusal {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  const fault = isFault(error)
    ? {
        reach: error.reach === 'setup' ? ('setup' as const) : ('connection' as const),
        code: error.code,
        hint: error.hint,
      }
    : undefined
  return { message, stack, trouble: meaningOf(error), fault }
}
