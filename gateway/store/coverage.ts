import type { GapRun } from './gaps.ts'
import { StoreTrouble } from './refusal.ts'
import type { RowHead } from './row.ts'

/** Places that no row and no gap record speaks for: a page of the file is an older one, and nothing in it is wrong. */
export class MissingPlaces extends Error {
  readonly fromSeq: number
  readonly toSeq: number
  constructor(fromSeq: number, toSeq: number) {
    super(`nothing says what stood at places ${fromSeq} to ${toSeq}`)
    this.name = 'MissingPlaces'
    this.fromSeq = fromSeq
    this.toSeq = toSeq
  }
}

/** The places that were met while a page was read, wanted or not. */
export class Coverage {
  readonly #runs: [from: number, to: number][] = []

  addRow({ firstSeq, lastSeq, holes }: RowHead): void {
    let from = firstSeq
    for (const [before, places] of holes) {
      this.#runs.push([from, from + before - 1])
      from += before + places
    }
    this.#runs.push([from, lastSeq])
  }

  addGap({ fromSeq, toSeq }: Pick<GapRun, 'fromSeq' | 'toSeq'>): void {
    this.#runs.push([fromSeq, toSeq])
  }

  /** @throws MissingPlaces for the first that is not covered of those behind `afterSeq`, up to and including `toSeq` */
  check(afterSeq: number, toSeq: number): void {
    let next = afterSeq + 1
    for (const [from, to] of this.#runs.sort(([a], [b]) => a - b)) {
      if (next > toSeq) return
      if (from > next) throw new MissingPlaces(next, Math.min(from - 1, toSeq))
      next = Math.max(next, to + 1)
    }
    if (next <= toSeq) throw new MissingPlaces(next, toSeq)
  }
}

/**
 * Of two records for one place one is older, and so is the page that it stands in: what else that page says is not known.
 * @throws StoreTrouble where a record is not behind the one before it: a reader would go round in a circle
 */
export function mustFollow(seq: number, beforeSeq: number): void {
  if (seq > beforeSeq) return
  throw new StoreTrouble(`two records speak for place ${seq}: a page of the file is an older one`, 'damage')
}
