import Database from 'better-sqlite3'

/** What is done to each statement that SQLite is given while a hand lies on it. */
export interface Hand {
  /** @param run does it: call it, or throw what the disk would have said */
  statement<Result>(statement: Handled, run: () => Result): Result
}

export interface Handled {
  readonly source: string
  readonly database: {
    readonly name: string
    readonly inTransaction: boolean
    pragma(source: string, options?: { readonly simple: boolean }): unknown
  }
}

type Method = (this: Handled, ...values: unknown[]) => unknown

let hand: Hand | undefined
let laid = false

/**
 * Put a hand between the log and SQLite, or take it away: every statement of every connection goes through it, also
 * those that begin and end a transaction.
 */
export function layHand(on: Hand | undefined): void {
  hand = on
  if (laid || on === undefined) return
  laid = true
  const probe = new Database(':memory:')
  const methods = Object.getPrototypeOf(probe.prepare('SELECT 1')) as Record<string, Method>
  probe.close()
  for (const name of ['run', 'get', 'all', 'iterate']) {
    const original = methods[name]!
    methods[name] = function (...values) {
      return hand === undefined
        ? original.apply(this, values)
        : hand.statement(this, () => original.apply(this, values))
    }
  }
}

/** An error as SQLite gives it. */
export function sqliteError(code: string, message: string): Error {
  return new Database.SqliteError(`${message} (simulated)`, code)
}
