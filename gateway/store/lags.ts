import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import type { Figure } from '../contract/figure.ts'
import type { Confirm, Standing } from './cursors.ts'

/** How far the consumers are behind the end of the log, as it was last confirmed. */
export class Lags {
  readonly #seqs = new Map<string, Map<EventClass, number>>()

  constructor(standings: readonly Standing[]) {
    this.stand(standings)
  }

  /** The file was opened, or opened anew. */
  stand(standings: readonly Standing[]): void {
    this.#seqs.clear()
    for (const { consumer, class: name, seq } of standings) this.#of(consumer).set(name, seq)
  }

  confirmed({ consumer, seq, force, classes = EVENT_CLASSES }: Confirm): void {
    const seqs = this.#of(consumer)
    for (const name of classes) seqs.set(name, force ? seq : Math.max(seqs.get(name) ?? 0, seq))
  }

  /** @param lastSeq the end of the log */
  figures(lastSeq: number): Figure[] {
    const figures: Figure[] = []
    for (const [consumer, seqs] of this.#seqs) {
      for (const [name, seq] of seqs) {
        figures.push({
          name: 'linli_consumer_lag_places',
          help: 'Places in the log behind what the consumer has confirmed of a class.',
          kind: 'gauge',
          labels: { consumer, class: name },
          value: Math.max(0, lastSeq - seq),
        })
      }
    }
    return figures
  }

  #of(consumer: string): Map<EventClass, number> {
    let seqs = this.#seqs.get(consumer)
    if (seqs === undefined) {
      seqs = new Map()
      this.#seqs.set(consumer, seqs)
    }
    return seqs
  }
}
