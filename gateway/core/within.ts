import type { Clock } from '../contract/clock.ts'

/** Wait for `work`, but no longer than `ms`: then undefined, and the work goes on alone. */
export async function within<T>(ms: number, work: Promise<T>, clock: Pick<Clock, 'after'>): Promise<T | undefined> {
  let cancel = (): void => undefined
  const late = new Promise<undefined>((resolve) => {
    cancel = clock.after(ms, () => resolve(undefined))
  })
  return Promise.race([work, late]).finally(() => cancel())
}
