import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { duration } from '../contract/units.ts'
import type { Position } from '../store/store.ts'
import type { CursorCodec } from './cursor.ts'
import { badParameter } from './problem.ts'
import type { ApiRequest } from './route.ts'

/** A page holds so many entries, whatever is asked for. */
export const PAGE_EVENTS_MAX = 1000
export const PAGE_EVENTS = 500
/** A long poll ends after so long, whatever is asked for: proxies cut what is silent for a minute. */
export const WAIT_MS_MAX = 55_000
const PATTERNS_MAX = 50
const PATTERN = /^(\*|[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\*?)$/

/** What `GET /v1/events` was asked. */
export interface EventsQuery {
  /** Where to begin: behind this place, at the ends of the log, or where the caller has confirmed. */
  readonly after: Position | 'oldest' | 'newest' | 'confirmed'
  readonly limit: number | undefined
  readonly types?: readonly string[]
  readonly devices?: readonly string[]
  readonly classes?: readonly EventClass[]
  readonly waitMs: number
}

const KNOWN = ['after', 'limit', 'types', 'devices', 'classes', 'wait'] as const

/** @throws ApiProblem that names the parameter, the value found and the way out. */
export function readEventsQuery(query: ApiRequest['query'], cursors: CursorCodec): EventsQuery {
  refuseUnknown(query, KNOWN)
  const types = patterns(query, 'types')
  const devices = patterns(query, 'devices')
  const classes = classNames(query)
  return {
    after: after(query, cursors),
    limit: limit(query),
    waitMs: readWait(query, 0),
    ...(types === undefined ? {} : { types }),
    ...(devices === undefined ? {} : { devices }),
    ...(classes === undefined ? {} : { classes }),
  }
}

function one(query: ApiRequest['query'], parameter: string): string | undefined {
  const values = query[parameter]
  if (values !== undefined && values.length > 1) throw badParameter(parameter, values.join(','), 'give it once')
  return values?.[0]
}

function after(query: ApiRequest['query'], cursors: CursorCodec): EventsQuery['after'] {
  const text = one(query, 'after')
  if (text === undefined || text === '') return 'confirmed'
  return text === 'oldest' || text === 'newest' ? text : cursors.read(text, 'after')
}

function limit(query: ApiRequest['query']): number | undefined {
  const text = one(query, 'limit')
  if (text === undefined) return undefined
  const number = Number(text)
  if (!/^\d{1,15}$/.test(text) || number < 1) {
    throw badParameter('limit', text, `a whole number from 1 is wanted; pages hold ${PAGE_EVENTS_MAX} at most`)
  }
  return number
}

/** @throws ApiProblem for a parameter that is none of these */
export function refuseUnknown(query: ApiRequest['query'], known: readonly string[]): void {
  for (const [parameter, values] of Object.entries(query)) {
    if (known.includes(parameter)) continue
    const there = known.length === 1 ? 'there is' : 'there are'
    throw badParameter(parameter, values.join(','), `there is no such parameter; ${there} ${known.join(', ')}`)
  }
}

/** How long to wait, in milliseconds. @param otherwise where the caller does not say */
export function readWait(query: ApiRequest['query'], otherwise: number): number {
  const text = one(query, 'wait')
  if (text === undefined) return otherwise
  const parsed = duration.safeParse(text)
  if (!parsed.success) throw badParameter('wait', text, 'a duration with its unit is wanted, such as 500ms or 30s')
  return Math.min(parsed.data, WAIT_MS_MAX)
}

function patterns(query: ApiRequest['query'], parameter: 'types' | 'devices'): readonly string[] | undefined {
  const list = listOf(query, parameter)
  for (const pattern of list ?? []) {
    const hint = 'names, or beginnings followed by *, with commas between them, such as linli.meter.*,linli.door.opened'
    if (!PATTERN.test(pattern)) throw badParameter(parameter, pattern, hint)
  }
  return list
}

function classNames(query: ApiRequest['query']): readonly EventClass[] | undefined {
  return listOf(query, 'classes')?.map((text) => {
    const found = EVENT_CLASSES.find((name) => name === text)
    if (found === undefined) throw badParameter('classes', text, `there are ${EVENT_CLASSES.join(', ')}`)
    return found
  })
}

function listOf(query: ApiRequest['query'], parameter: string): readonly string[] | undefined {
  const list = query[parameter]?.flatMap((value) => value.split(','))
  if (list !== undefined && list.length > PATTERNS_MAX) {
    throw badParameter(parameter, list.join(','), `${PATTERNS_MAX} at most`)
  }
  return list
}
