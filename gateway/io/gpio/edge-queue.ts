import type { Edge } from '../../contract/io.ts'

/** So many edges wait to be heard; what is older is dropped, counted, and made good by reading the levels. */
export const EDGES_MAX = 1024

interface Seen {
  readonly edges: readonly Edge[]
  readonly lost: number
}

/** Edges on their way from a chip to the one who waits for them. */
export class EdgeQueue {
  #edges: Edge[] = []
  #lost = 0
  #end: Error | undefined
  #wake: (() => void) | undefined

  push(edge: Edge): void {
    if (this.#edges.length >= EDGES_MAX) {
      this.#edges.shift()
      this.#lost += 1
    }
    this.#edges.push(edge)
    this.#wake?.()
  }

  /** The chip dropped so many. */
  lose(count: number): void {
    this.#lost += count
    this.#wake?.()
  }

  /** Nothing comes any more; what is here is still heard. */
  end(reason: Error): void {
    this.#end ??= reason
    this.#wake?.()
  }

  /** As `GpioLines.edges`. */
  next(signal: AbortSignal): Promise<Seen> {
    return new Promise((resolve, reject) => {
      const look = (): boolean => {
        if (signal.aborted) reject(signal.reason)
        else if (this.#edges.length > 0 || this.#lost > 0) resolve(this.#take())
        else if (this.#end !== undefined) reject(this.#end)
        else return false
        return true
      }
      if (look()) return
      const wake = (): void => {
        if (!look()) return
        signal.removeEventListener('abort', wake)
        if (this.#wake === wake) this.#wake = undefined
      }
      signal.addEventListener('abort', wake, { once: true })
      this.#wake = wake
    })
  }

  #take(): Seen {
    const seen = { edges: this.#edges, lost: this.#lost }
    this.#edges = []
    this.#lost = 0
    return seen
  }
}
