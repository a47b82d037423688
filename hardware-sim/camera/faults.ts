/** What a camera does to a request instead of answering it well. */
export type AnswerFault =
  /** A SOAP fault with a subcode of ONVIF, by default `Action`, `busy` and HTTP 500. */
  | { readonly kind: 'refuse'; readonly subcode?: string; readonly reason?: string; readonly status?: number }
  /** An HTTP status with a page, as web servers in front of the ONVIF service answer. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** HTTP 200 with this instead of SOAP: a page, a DOCTYPE, half a message. */
  | { readonly kind: 'body'; readonly body: string }
  /** Well, but after so long. */
  | { readonly kind: 'late'; readonly byMs: number }
  /** The answer is written byte by byte. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  /** Taken, and never answered. */
  | { readonly kind: 'silent' }
  /** An answer without end. */
  | { readonly kind: 'endless' }
  /** It hangs up in the middle of its answer. */
  | { readonly kind: 'cut' }

interface Planned {
  readonly fault: AnswerFault
  left: number
}

/** What a camera is wrong about as long as it is told to be. */
export interface Habits {
  /** Told in the subscription reference instead of the right address; undefined for the right one. */
  readonly subscriptionAddress: string | undefined
  /** Its pulls are confirmed, and bring nothing any more. */
  readonly deaf: boolean
  /** What it tells of its time is off by so much from what it goes by: local time told as UTC. */
  readonly toldTimeOffMs: number
  /** Renewed or not, the end of a subscription that it tells is now. */
  readonly endsNow: boolean
  /** Answers a pull at once, whether there is something or not. */
  readonly impatient: boolean
  /** One Unsubscribe ends the subscriptions of everybody. */
  readonly unsubscribeEndsAll: boolean
}

const GOOD: Habits = {
  subscriptionAddress: undefined,
  deaf: false,
  toldTimeOffMs: 0,
  endsNow: false,
  impatient: false,
  unsubscribeEndsAll: false,
}

/** Faults by operation, `*` for all of them, and bad habits, to be made and taken away while the camera runs. */
export class CameraFaults {
  readonly #planned = new Map<string, Planned>()
  #habits = GOOD

  get habits(): Habits {
    return this.#habits
  }

  set(habits: Partial<Habits>): void {
    this.#habits = { ...this.#habits, ...habits }
  }

  /** @param times so many requests, by default all until `clear` */
  on(operation: string, fault: AnswerFault, times = Number.POSITIVE_INFINITY): void {
    this.#planned.set(operation, { fault, left: times })
  }

  clear(operation?: string): void {
    if (operation === undefined) this.#planned.clear()
    else this.#planned.delete(operation)
  }

  /** The fault for this request, which is then used up once. */
  take(operation: string): AnswerFault | undefined {
    const planned = this.#planned.get(operation) ?? this.#planned.get('*')
    if (planned === undefined || planned.left <= 0) return undefined
    planned.left -= 1
    return planned.fault
  }
}
