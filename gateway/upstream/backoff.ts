import type { Random } from '../contract/io.ts'

/**
 * Full jitter: a random part of a span that doubles with each failure. After an area outage a thousand hubs come
 * back spread evenly instead of in step (Brooker, "Exponential Backoff And Jitter", 2015).
 * @param failures so many in a row, from 1
 */
export function fullJitterMs(failures: number, firstMs: number, maxMs: number, random: Random): number {
  const spanMs = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30))
  return random.next() * spanMs
}
