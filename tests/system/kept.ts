import { afterEach } from 'vitest'

const ends: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Run this when the test is over, the last first. */
export function atEnd(end: () => Promise<unknown>): void {
  ends.push(end)
}

/** Close or stop this when the test is over. */
export function kept<T extends { close(): Promise<unknown> } | { stop(): Promise<unknown> }>(thing: T): T {
  atEnd(() => ('close' in thing ? thing.close() : thing.stop()))
  return thing
}
