/** An entry of the log as the hub sends it (CloudEvents 1.0, JSON format), as far as a line shows it. */
export interface CloudEvent {
  readonly source: string
  readonly type: string
  readonly time?: string
  readonly linliseq?: number
  readonly linliclock?: string
  readonly linliclass?: string
  readonly data?: Readonly<Record<string, unknown>>
}

/** `2026-11-23 08:00:01.120  184223  telemetry  meter-301  linli.meter.reading  energy_import=230.5 kWh` */
export function eventLine(event: CloudEvent): string {
  // What the clock was worth is seen at once: a time that nobody vouches for has a question mark.
  const doubt = event.linliclock === undefined || event.linliclock === 'synced' ? ' ' : '?'
  const time = (event.time ?? '').replace('T', ' ').replace('Z', '').padEnd(23)
  const place = String(event.linliseq ?? 'gap').padStart(7)
  const source =
    event.source
      .split('/')
      .slice(3)
      .join('/')
      .replace(/^devices\//, '') || '(hub)'
  const words = [
    `${time}${doubt}`,
    place,
    (event.linliclass ?? '').padEnd(9),
    source.padEnd(14),
    event.type,
    dataText(event.data ?? {}),
  ]
  return words.join('  ').trimEnd()
}

function dataText(data: Readonly<Record<string, unknown>>): string {
  return Object.entries(data)
    .flatMap(([key, value]) =>
      key === 'points' && isMap(value) ? Object.entries(value).map(pointText) : [`${key}=${text(value)}`],
    )
    .join(' ')
}

function pointText([name, value]: [string, unknown]): string {
  const shown = isMap(value) ? valueText(value) : undefined
  if (!isMap(value) || shown === undefined) return `${name}=${text(value)}`
  return typeof value.u === 'string' && value.u !== '' ? `${name}=${shown} ${value.u}` : `${name}=${shown}`
}

/** A reading, or what a summary says in its place: a counter from where to where, a number between what, a state at the end. */
function valueText(point: Readonly<Record<string, unknown>>): string | undefined {
  if ('v' in point) return text(point.v)
  if ('first' in point) return `${text(point.first)}..${text(point.last)}`
  if ('min' in point) return `${text(point.min)}..${text(point.max)}`
  return 'lastState' in point ? text(point.lastState) : undefined
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
