/** A promise is broken; the text begins with its name. */
export class Broken extends Error {}

export function must(holds: boolean, what: string | (() => string)): void {
  if (!holds) throw new Broken(typeof what === 'string' ? what : what())
}

/** The promise that a text speaks of: `L4`; `error` where it is none of them. */
export function promiseOf(text: string): string {
  return /^Broken: ([A-Z]\d+): /.exec(text)?.[1] ?? 'error'
}
