import type { SeenData } from '../../gateway/contract/event.ts'
import type { Notification } from './codec/event.ts'
import { type Meaning, meaningOf } from './codec/topic.ts'

/** States that are remembered; a camera has a few for each of its rules. */
const STATES_MAX = 512

/** What a notification is as an event. */
export interface News {
  readonly type: Meaning['type']
  readonly data: SeenData
}

/**
 * The states that a camera has told in one subscription. A state that was there before we came is marked `initial`, and
 * told once: a camera that repeats its states because it was asked to says nothing new, unless we missed a change.
 */
export class States {
  readonly #known = new Map<string, boolean>()

  /** Undefined for what is no news, and for what our vocabulary has no word for. */
  take(notification: Notification): News | undefined {
    const { topic, rawTopic, operation, source, data, utcTime } = notification
    const meaning = meaningOf(notification)
    if (meaning === undefined) return undefined
    const key = `${topic} ${JSON.stringify(source)}`
    if (operation === 'deleted') {
      this.#known.delete(key)
      return undefined
    }
    const initial = operation === 'initialized'
    if (initial && this.#known.get(key) === meaning.active) return undefined
    this.#remember(key, meaning.active)
    const told = { active: meaning.active, topic, source, ...(initial ? { initial } : {}) }
    return { type: meaning.type, data: { ...told, raw: { topic: rawTopic, data, time: utcTime } } }
  }

  #remember(key: string, active: boolean): void {
    this.#known.delete(key)
    this.#known.set(key, active)
    if (this.#known.size <= STATES_MAX) return
    const [oldest] = this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
  }
}
