/** How soon a new subscription shows whether its camera repeats states when told to. */
const FIRST_AFTER_MS = 10_000
/** Tests in a row that a camera may fail: it may have been busy. */
const FAILURES_MAX = 2

/** What a pull brought: anything, and states that were repeated. */
export interface Brought {
  readonly any: boolean
  readonly states: boolean
}

/**
 * Whether a subscription in which nothing happens is quiet or dead. Some cameras go on to confirm pulls of a
 * subscription that brings nothing any more. One that repeats its states when told to (SetSynchronizationPoint; ONVIF
 * Core, 9.6) can be tested; whether it does is seen in the first test, and only one that did is ever called deaf.
 */
export class QuietTest {
  readonly #everyMs: number
  #dueMs: number
  #repeats: boolean | undefined
  #failures = 0
  #running = false
  #aliveMs: number

  /** @param repeats what an earlier subscription showed; one of a camera that repeats is tested at once */
  constructor(nowMs: number, everyMs: number, repeats: boolean | undefined) {
    this.#everyMs = everyMs
    this.#aliveMs = nowMs
    this.#repeats = repeats
    this.#dueMs = repeats === true ? nowMs : nowMs + Math.min(FIRST_AFTER_MS, everyMs)
  }

  /** When to tell the camera to repeat its states, on `Clock.monoMs`; never for one that does not. */
  get dueMs(): number {
    return this.#repeats === false ? Number.POSITIVE_INFINITY : this.#dueMs
  }

  /** Undefined as long as it is not known. */
  get repeats(): boolean | undefined {
    return this.#repeats
  }

  /** When events were last known to come, on `Clock.monoMs`. */
  get aliveMs(): number {
    return this.#aliveMs
  }

  /** Between `asked` and `heard`. */
  get running(): boolean {
    return this.#running
  }

  /** The camera was told to repeat its states, and took it or not. */
  asked(taken: boolean): void {
    this.#running = taken
    if (!taken) this.#repeats = false
  }

  /** What the next pull brought. True when the camera is deaf. */
  heard(nowMs: number, { any, states }: Brought): boolean {
    const tested = this.#running
    this.#running = false
    if (tested && this.#repeats === undefined) {
      this.#repeats = states
      this.#passed(nowMs)
      return false
    }
    if (any) {
      this.#aliveMs = nowMs
      if (this.#repeats !== undefined) this.#passed(nowMs)
      return false
    }
    if (!tested) {
      // Of one that can't be tested an answered pull is all there is to know.
      if (this.#repeats !== true) this.#aliveMs = nowMs
      return false
    }
    this.#failures += 1
    return this.#failures >= FAILURES_MAX
  }

  #passed(nowMs: number): void {
    this.#aliveMs = nowMs
    this.#failures = 0
    this.#dueMs = nowMs + this.#everyMs
  }
}
