import { type Element, find, text } from './xml.ts'

/**
 * UTC by the camera's clock, in ms since 1970; undefined when it does not say (ONVIF Core, 8.3.5). One that tells
 * only its local time is understood by its time zone.
 */
export function decodeCameraTime(body: Element): number | undefined {
  const said = find(body, 'GetSystemDateAndTimeResponse', 'SystemDateAndTime')
  const utcMs = decodeTime(find(said, 'UTCDateTime'))
  if (utcMs !== undefined) return utcMs
  const localMs = decodeTime(find(said, 'LocalDateTime'))
  if (localMs === undefined) return undefined
  const summerMs = /^(true|1)$/i.test(text(find(said, 'DaylightSavings'))) ? 3_600_000 : 0
  return localMs + westOfGreenwichMs(text(find(said, 'TimeZone', 'TZ'))) - summerMs
}

/** tt:DateTime: numbers in elements of their own. */
function decodeTime(time: Element | undefined): number | undefined {
  const number = (...path: readonly string[]): number => Number.parseInt(text(find(time, ...path)), 10)
  const ms = Date.UTC(
    number('Date', 'Year'),
    number('Date', 'Month') - 1,
    number('Date', 'Day'),
    number('Time', 'Hour'),
    number('Time', 'Minute'),
    number('Time', 'Second'),
  )
  return Number.isFinite(ms) ? ms : undefined
}

/** What a POSIX time zone (IEEE 1003.1, 8.3) adds to local time to make it UTC: `CST-8` is China, 8 hours east. */
function westOfGreenwichMs(zone: string): number {
  const [, sign, hours = '0', minutes = '0'] = /^(?:<[^>]+>|[A-Za-z]+)([+-]?)(\d{1,2})(?::(\d{2}))?/.exec(zone) ?? []
  const ms = (Number(hours) * 60 + Number(minutes)) * 60_000
  return sign === '-' ? -ms : ms
}

/** xs:dateTime as ms since 1970; without a zone it is UTC, as ONVIF wants it. Undefined for what is none. */
export function decodeDateTime(value: string): number | undefined {
  const whole = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/.exec(value.trim())
  if (whole === null) return undefined
  const ms = Date.parse(whole[1] === undefined ? `${whole[0]}Z` : whole[0])
  return Number.isNaN(ms) ? undefined : ms
}

/** xs:dateTime in whole seconds: some cameras know no fractions. */
export function encodeDateTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** xs:duration of whole seconds, one at least, such as PT60S. */
export function encodeDuration(ms: number): string {
  return `PT${Math.max(1, Math.round(ms / 1000))}S`
}
