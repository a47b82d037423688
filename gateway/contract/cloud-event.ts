import type { Entry, Gap, StoredEvent } from './event.ts'

/**
 * The one form in which an entry of the log leaves the hub: CloudEvents 1.0, JSON format
 * (cloudevents/spec v1.0.2, json-format.md, section 2). The body is pasted in unparsed.
 */
export function cloudEventJson(hub: string, entry: Entry): string {
  return entry.kind === 'event' ? eventJson(hub, entry) : gapJson(hub, entry)
}

/** Hub id + epoch + seq: the same for ever and for everybody. */
export function eventId(hub: string, entry: Entry): string {
  return entry.kind === 'event'
    ? `${hub}/${entry.epoch}/${entry.seq}`
    : `${hub}/${entry.epoch}/gap-${entry.reason}-${entry.fromSeq}-${entry.toSeq}`
}

function eventJson(hub: string, event: StoredEvent): string {
  const source = event.source === '' ? `/hubs/${hub}` : `/hubs/${hub}/${event.source}`
  return (
    `{"specversion":"1.0","id":${quoted(eventId(hub, event))},"source":${quoted(source)},` +
    `"type":${quoted(event.type)},"time":"${isoTime(event.wallMs)}","linliseq":${event.seq},` +
    `"linliclock":"${event.clock}","linliclass":"${event.class}","linliprivacy":"${event.privacy}","data":${event.body}}`
  )
}

/** JSON.stringify of a text; most need nothing but their quotes. */
function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** Printable ASCII but for the quote and the backslash (RFC 8259, 7). */
const PLAIN = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/

function gapJson(hub: string, gap: Gap): string {
  const { fromSeq, toSeq, reason, counts } = gap
  return JSON.stringify({
    specversion: '1.0',
    id: eventId(hub, gap),
    source: `/hubs/${hub}`,
    type: 'linli.log.gap',
    ...(gap.lastMs === undefined ? {} : { time: isoTime(gap.lastMs) }),
    linliclass: 'audit',
    linliprivacy: 'public',
    data: {
      epoch: gap.epoch,
      fromSeq,
      toSeq,
      reason,
      counts,
      ...(gap.firstMs === undefined ? {} : { first: isoTime(gap.firstMs) }),
      ...(gap.lastMs === undefined ? {} : { last: isoTime(gap.lastMs) }),
    },
  })
}

const DAY_MS = 86_400_000
/** The day of the last time that was written: events of one day share it, and the calendar is what costs. */
let knownDay = { day: Number.NaN, text: '' }

/** As Date.toISOString, in a third of the time. @param ms since 1970, a whole number */
export function isoTime(ms: number): string {
  const day = Math.floor(ms / DAY_MS)
  if (day !== knownDay.day) knownDay = { day, text: new Date(day * DAY_MS).toISOString().slice(0, -13) }
  const rest = ms - day * DAY_MS
  const seconds = Math.floor(rest / 1000)
  const minutes = Math.floor(seconds / 60)
  const clock = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`
  return `${knownDay.text}${clock}.${String(rest % 1000).padStart(3, '0')}Z`
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number)
}
