/** Those who wait until something stands behind a place. */
export class Bells {
  readonly #waiting = new Set<{ readonly seq: number; ring(): void; fail(reason: unknown): void }>()

  /** Resolves once `ring` is called with a larger place; rejects with `signal.reason`, leaving no listener behind. */
  wait(seq: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const leave = (): void => {
        signal.removeEventListener('abort', onAbort)
        this.#waiting.delete(entry)
      }
      const onAbort = (): void => entry.fail(signal.reason)
      const entry = {
        seq,
        ring(): void {
          leave()
          resolve()
        },
        fail(reason: unknown): void {
          leave()
          reject(reason)
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(entry)
    })
  }

  ring(lastSeq: number): void {
    for (const entry of [...this.#waiting]) if (lastSeq > entry.seq) entry.ring()
  }

  /** Nothing will ever stand there. */
  fail(reason: unknown): void {
    for (const entry of [...this.#waiting]) entry.fail(reason)
  }
}
