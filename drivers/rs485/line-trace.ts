import { z } from 'zod'
import type { Clock } from '../../gateway/contract/clock.ts'
import type { View } from '../../gateway/contract/driver.ts'
import type { Json } from '../../gateway/contract/event.ts'
import { Fault } from '../../gateway/contract/fault.ts'
import { hexByte } from './codec/found-frame.ts'
import { type Dialect, frameWords } from './codec/frame-words.ts'
import type { Ending, Exchange, FlightRecorder, Incident, Piece } from './flight-recorder.ts'

/** So many of the last exchanges are shown beside the incidents. */
const LATELY_MAX = 16
/** So many exchanges wait for who follows too slowly; then they are dropped, and that is said. */
const WAITING_MAX = 256
/** So many may follow one line at the same time. */
const FOLLOWERS_MAX = 4

const ENDINGS: Readonly<Record<Ending, string>> = {
  asked: 'no end: the line went away',
  answered: 'answered',
  late: 'the answer came after its time',
  nothing: 'no answer',
  noise: 'no answer, but bytes that are no frame',
  damaged: 'wrong check',
  another: 'no answer, but another device spoke',
}

const parameters = z.strictObject({
  live: z
    .enum(['true', 'false'], 'true or false is wanted')
    .default('false')
    .transform((text) => text === 'true'),
})

export interface TraceParts {
  readonly recorder: FlightRecorder
  readonly clock: Pick<Clock, 'monoMs' | 'wallMs'>
  /** What a device speaks. */
  readonly dialectOf: (device: string) => Dialect | undefined
}

/** What was on the line around each fault, in words; with `live` every exchange from now on, as it ends. */
export function traceView(parts: TraceParts): View<z.infer<typeof parameters>> {
  const { recorder } = parts
  let followers = 0
  async function* following(signal: AbortSignal): AsyncGenerator<Json> {
    if (followers >= FOLLOWERS_MAX) throw tooMany()
    followers += 1
    try {
      yield* live(parts, signal)
    } finally {
      followers -= 1
    }
  }
  return {
    parameters,
    look: (asked, signal) => {
      if (asked.live && followers >= FOLLOWERS_MAX) throw tooMany()
      if (asked.live) return following(signal)
      const teller = new Teller(parts)
      return {
        incidents: recorder.incidents.map((incident) => teller.incident(incident)),
        forgotten: recorder.forgotten,
        lately: recorder.recent.slice(-LATELY_MAX).map((exchange) => teller.exchange(exchange)),
      }
    },
  }
}

function tooMany(): Fault {
  return new Fault('reply', `${FOLLOWERS_MAX} follow this line already`, { code: 'busy', hint: 'let one of them go' })
}

async function* live(parts: TraceParts, signal: AbortSignal): AsyncGenerator<Json> {
  const waiting: Exchange[] = []
  let dropped = 0
  let wake = (): void => undefined
  const stop = parts.recorder.follow((exchange) => {
    if (waiting.length < WAITING_MAX) waiting.push(exchange)
    else dropped += 1
    wake()
  })
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    while (!signal.aborted) {
      const next = waiting.shift()
      if (next !== undefined) yield new Teller(parts).exchange(next)
      else if (dropped > 0) {
        const missed = dropped
        dropped = 0
        yield { dropped: missed }
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    stop()
    signal.removeEventListener('abort', onAbort)
  }
}

/** Puts into words what was recorded. */
class Teller {
  readonly #parts: TraceParts
  /** What a time of the clock that never jumps is by the wall, now. */
  readonly #wallOffsetMs: number

  constructor(parts: TraceParts) {
    this.#parts = parts
    this.#wallOffsetMs = parts.clock.wallMs() - parts.clock.monoMs()
  }

  incident({ number, kind, device, monoMs, times, lastMs, exchanges, at }: Incident): Json {
    return {
      number,
      kind,
      words: kind in ENDINGS ? ENDINGS[kind as Ending] : `the line failed: ${kind}`,
      ...(device === '' ? {} : { device }),
      time: this.#time(monoMs),
      monoUs: us(monoMs),
      times,
      lastTime: this.#time(lastMs),
      at,
      exchanges: exchanges.map((exchange) => this.exchange(exchange)),
    }
  }

  exchange({ device, sentMs, frame, pieces, droppedBytes, ending }: Exchange): Json {
    const dialect = this.#parts.dialectOf(device)
    const asked = frame.length > 0
    const heard = joined(pieces)
    return {
      ...(device === '' ? {} : { device }),
      time: this.#time(sentMs),
      monoUs: us(sentMs),
      ...(asked ? { asked: { hex: hexOf(frame), words: frameWords(frame, 'out', dialect) } } : {}),
      ...(pieces.length === 0
        ? {}
        : {
            heard: {
              pieces: pieces.map(({ monoMs, bytes }) => ({ monoUs: us(monoMs), hex: hexOf(bytes) })),
              words: frameWords(heard, 'in', dialect),
            },
          }),
      ...(droppedBytes === 0 ? {} : { droppedBytes }),
      ending: asked ? ending : 'stray',
      words: asked ? ENDINGS[ending] : 'nobody had asked',
    }
  }

  /** With microseconds, which a Date does not have. */
  #time(monoMs: number): string {
    const wallUs = us(this.#wallOffsetMs + monoMs)
    const below = String(((wallUs % 1000) + 1000) % 1000).padStart(3, '0')
    return new Date(Math.floor(wallUs / 1000)).toISOString().replace('Z', `${below}Z`)
  }
}

function us(ms: number): number {
  return Math.round(ms * 1000)
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, hexByte).join(' ')
}

function joined(pieces: readonly Piece[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]!.bytes : Uint8Array.from(pieces.flatMap(({ bytes }) => [...bytes]))
}
