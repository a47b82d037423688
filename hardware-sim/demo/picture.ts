import type { HubEvent, HubHealth } from './client.ts'

interface Value {
  readonly v: unknown
  readonly u?: string
}

export interface MeterRow {
  readonly id: string
  readonly readings: number
  readonly firstMs: number
  readonly lastMs: number
  readonly power: Value | undefined
  readonly energy: Value | undefined
}

/** A door or a camera: how it stands, in words, since when. */
export interface OtherRow {
  readonly id: string
  /** `door`, `camera`, as the types of its events say. */
  readonly kind: string
  readonly words: string
  readonly lastMs: number
}

const READING = 'linli.meter.reading'
const DEVICE = '/devices/'

/** What somebody who reads the log knows of the building: nothing here was asked of anybody but the hub. */
export class Picture {
  readonly meters = new Map<string, MeterRow>()
  readonly others = new Map<string, OtherRow>()
  readonly troubled = new Map<string, string>()
  health: HubHealth | undefined
  /** Events by their own count, gap records left out. */
  events = 0
  /** Places that came twice, or behind a later one: never, if the log keeps its word. */
  disorder = 0
  gaps = 0
  lastSeq = 0

  /** @param nowMs on the reader's clock */
  add(event: HubEvent, nowMs: number): void {
    if (event.linliseq === undefined) {
      this.gaps += 1
      return
    }
    if (event.linliseq <= this.lastSeq) this.disorder += 1
    else this.events += 1
    this.lastSeq = Math.max(this.lastSeq, event.linliseq)
    const device = deviceOf(event.source)
    if (device === undefined) return
    if (event.type === READING) this.#read(device, event, nowMs)
    else if (event.type !== 'linli.device.state') {
      const [, kind = 'device', what = ''] = event.type.split('.')
      this.others.set(device, { id: device, kind, words: wordsOf(kind, what, event.data), lastMs: nowMs })
    }
  }

  /** What the hub says about itself: which devices have trouble, and whether the platform is there. */
  look(health: HubHealth): void {
    this.health = health
    this.troubled.clear()
    for (const connection of health.connections) {
      for (const { id, ok, trouble } of connection.devices) {
        if (!ok || connection.state === 'waiting' || connection.state === 'parked') {
          this.troubled.set(id, (trouble ?? connection.trouble)?.message ?? connection.state)
        }
      }
    }
  }

  get readings(): number {
    return [...this.meters.values()].reduce((sum, { readings }) => sum + readings, 0)
  }

  #read(id: string, event: HubEvent, nowMs: number): void {
    const before = this.meters.get(id)
    const points = (event.data.points ?? {}) as Readonly<Record<string, Value>>
    this.meters.set(id, {
      id,
      readings: (before?.readings ?? 0) + 1,
      firstMs: before?.firstMs ?? nowMs,
      lastMs: nowMs,
      power: points.power ?? before?.power,
      energy: points.energy_import ?? before?.energy,
    })
  }
}

/** What an event means for somebody who looks at the door, not at the log. */
function wordsOf(kind: string, what: string, data: HubEvent['data']): string {
  switch (`${kind}.${what}`) {
    case 'door.state':
      return String(data.state)
    case 'door.unlocked':
      return `unlocked by ${String(data.cause)}`
    case 'camera.motion':
      return data.active === true ? 'something moves' : 'nothing moves'
    case 'camera.info':
      return [data.maker, data.model].join(' ')
    default:
      return what.replaceAll('-', ' ')
  }
}

function deviceOf(source: string): string | undefined {
  const at = source.indexOf(DEVICE)
  return at < 0 ? undefined : source.slice(at + DEVICE.length)
}
