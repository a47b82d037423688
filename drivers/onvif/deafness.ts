import type { Clock } from '../../gateway/contract/clock.ts'
import { isoTime } from '../../gateway/contract/cloud-event.ts'
import type { SeenData } from '../../gateway/contract/event.ts'
import type { Fault } from '../../gateway/contract/fault.ts'

interface Span {
  /** The last moment at which something was heard, on `Clock.monoMs`. */
  readonly fromMs: number
  readonly reason: string
  readonly code: string
  announced: boolean
}

/**
 * Since when a camera is not heard, and why. It outlives a restart of the connection, because the span does: it began
 * with the last word of one life and ends with the subscription of a later one.
 */
export class Deafness {
  #span: Span | undefined

  /** Nothing was heard since `fromMs`. What began a span stays its reason, whatever goes wrong in it later. */
  begin(fromMs: number, fault: Fault): void {
    this.#span ??= { fromMs, reason: fault.message, code: fault.code, announced: false }
  }

  /** Once for each span that lasts: what is known while it is not over. */
  announce(clock: Clock): SeenData | undefined {
    const span = this.#span
    if (span === undefined || span.announced) return undefined
    span.announced = true
    return { ...told(span, clock, clock.monoMs()), ongoing: true }
  }

  /** It is heard again since `toMs`; undefined when it always was. */
  end(clock: Clock, toMs: number): SeenData | undefined {
    const span = this.#span
    this.#span = undefined
    return span === undefined ? undefined : told(span, clock, toMs)
  }
}

/** Wall times are reckoned back from now, so that a clock that was set in between does not bend the span. */
function told({ fromMs, reason, code }: Span, clock: Clock, toMs: number): SeenData {
  const wallMs = clock.wallMs() - clock.monoMs()
  return {
    from: isoTime(Math.round(wallMs + fromMs)),
    to: isoTime(Math.round(wallMs + toMs)),
    seconds: Math.round((toMs - fromMs) / 100) / 10,
    reason,
    code,
  }
}
