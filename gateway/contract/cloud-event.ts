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
    `{"specversion":"1.0","id":${JSON.stringify(eventId(hub, event))},"source":${JSON.stringify(source)},` +
    `"type":${JSON.stringify(event.type)},"time":"${isoTime(event.wallMs)}","linliseq":${event.seq},` +
    `"linliclock":"${event.clock}","linliclass":"${event.class}","linliprivacy":"${event.privacy}","data":${event.body}}`
  )
}

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

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
