import type { MeterRow, Picture } from './picture.ts'

/** What the demonstration itself does, beside what the hub tells. */
export interface Show {
  readonly title: string
  readonly elapsedMs: number
  readonly nowMs: number
  /** Events that the platform has, each once. */
  readonly delivered: number
  readonly outages: number
  readonly longestOutageMs: number
  /** While the platform is away: since when, and when it comes back. */
  readonly outage: { readonly sinceMs: number; readonly untilMs: number } | undefined
}

export interface Screen {
  readonly columns: number
  readonly rows: number
  readonly colours: boolean
}

type Paint = (text: string) => string
interface Paints {
  readonly bold: Paint
  readonly dim: Paint
  readonly good: Paint
  readonly bad: Paint
}

/** Lines around the list of meters. */
const OTHER_LINES = 9
const LABEL_WIDTH = 10
const ID_WIDTH = 14
/** Two meters beside each other need so many columns. */
const TWO_COLUMNS = 110
const FRESH_MS = 1500

/** The lines of the live table. */
export function tableOf(picture: Picture, show: Show, screen: Screen): readonly string[] {
  const paints = paintsOf(screen.colours)
  return [
    ` ${paints.bold('Linli Hub')}  ${clock(show.elapsedMs)}  ${show.title}`,
    '',
    ...meterLines(picture, show, screen, paints),
    '',
    ...otherLines(picture, show, paints),
    row('log', `${count(picture.events)} events durable, ${count(picture.readings)} of them readings`, paints),
    ...upstreamLines(picture, show, paints),
  ]
}

/** One line for a log file, where nobody sees a table. */
export function lineOf(picture: Picture, show: Show): string {
  const kilowatts = [...picture.meters.values()].reduce((sum, { power }) => sum + (Number(power?.v) || 0), 0) / 1000
  const waiting = waitingOf(picture, show)
  const upstream =
    show.outage === undefined ? `upstream connected, ${count(waiting)} waiting` : `upstream CUT OFF, ${waiting} waiting`
  const parts = [
    `${count(picture.readings)} readings of ${picture.meters.size} meters (${kilowatts.toFixed(1)} kW now)`,
    `${count(picture.events)} events durable`,
    `${count(show.delivered)} delivered`,
    upstream,
  ]
  return `${clock(show.elapsedMs)}  ${parts.join(' · ')}`
}

/** `1:05`, or `1:01:05` from the first hour on. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const rest = String(seconds % 60).padStart(2, '0')
  if (minutes < 60) return `${minutes}:${rest}`
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`
}

function meterLines(picture: Picture, show: Show, screen: Screen, paints: Paints): readonly string[] {
  // In the order of the settings, as the hub tells it.
  const known = new Set([...meterIds(picture), ...picture.meters.keys()])
  const rows = [...known].map((id) => meterLine(id, picture, show, paints))
  const head = `${'meter'.padEnd(ID_WIDTH)}${'power'.padStart(10)}${'energy'.padStart(14)}${'read'.padStart(11)}`
  const room = Math.max(3, screen.rows - OTHER_LINES - picture.others.size)
  if (screen.columns >= TWO_COLUMNS && rows.length > 6) {
    const half = Math.ceil(rows.length / 2)
    const pairs = rows.slice(0, half).map((left, i) => ` ${left}   ${rows[half + i] ?? ''}`)
    return [` ${paints.dim(head)}   ${paints.dim(head)}`, ...pairs]
  }
  const shown = rows.length > room ? rows.slice(0, room - 1) : rows
  const more = rows.length > shown.length ? [paints.dim(` and ${rows.length - shown.length} more`)] : []
  return [` ${paints.dim(head)}`, ...shown.map((line) => ` ${line}`), ...more]
}

function meterLine(id: string, picture: Picture, show: Show, paints: Paints): string {
  const meter = picture.meters.get(id)
  const name = id.slice(0, ID_WIDTH - 1).padEnd(ID_WIDTH)
  const trouble = picture.troubled.get(id)
  if (trouble !== undefined) return `${name}${paints.bad(`  ${trouble}`.slice(0, 35).padEnd(35))}`
  if (meter === undefined) return `${name}${paints.dim('  not read yet'.padEnd(35))}`
  const age = show.nowMs - meter.lastMs
  const read = `${ago(age)}`.padStart(11)
  return `${name}${amount(meter, 'power', 10)}${amount(meter, 'energy', 14)}${age < FRESH_MS ? paints.good(read) : paints.dim(read)}`
}

function amount(meter: MeterRow, which: 'power' | 'energy', width: number): string {
  const value = meter[which]
  const number = Number(value?.v)
  if (value === undefined || !Number.isFinite(number)) return '-'.padStart(width)
  const digits = which === 'power' ? 0 : 2
  return `${number.toFixed(digits)} ${value.u ?? ''}`.padStart(width)
}

function otherLines(picture: Picture, show: Show, paints: Paints): readonly string[] {
  const lines = [...picture.others.values()]
    .toSorted((a, b) => byName(a.id, b.id))
    .map((other) => {
      const trouble = picture.troubled.get(other.id)
      const said = trouble === undefined ? other.words : paints.bad(trouble)
      const age = paints.dim(ago(show.nowMs - other.lastMs))
      return row(other.kind, `${other.id.padEnd(ID_WIDTH - 2)}${said}  ${age}`, paints)
    })
  return lines
}

function upstreamLines(picture: Picture, show: Show, paints: Paints): readonly string[] {
  const waiting = `${count(waitingOf(picture, show))} waiting`
  const { outage } = show
  const now =
    outage === undefined
      ? `${paints.good('●')} connected · ${waiting}`
      : `${paints.bad('○ cut off')} for ${seconds(show.nowMs - outage.sinceMs)}, back in ${seconds(outage.untilMs - show.nowMs)} · ${waiting}`
  const told = `${count(show.delivered)} events delivered`
  const outages =
    show.outages === 0
      ? ''
      : ` · ${show.outages} outage${show.outages === 1 ? '' : 's'}, the longest ${seconds(show.longestOutageMs)}`
  return [row('upstream', now, paints), row('', `${told}${outages}`, paints)]
}

/** By the two sides' own counts: what the log holds and the platform has not. */
function waitingOf(picture: Picture, show: Show): number {
  return Math.max(0, picture.lastSeq - show.delivered)
}

function meterIds(picture: Picture): readonly string[] {
  const connections = picture.health?.connections ?? []
  const lines = connections.filter(({ kind }) => kind === 'rs485' || kind === 'modbusTcp')
  return lines.flatMap(({ devices }) => devices.map(({ id }) => id))
}

function row(label: string, text: string, { dim }: Paints): string {
  return ` ${dim(label.padEnd(LABEL_WIDTH))}${text}`
}

function ago(ms: number): string {
  return ms < FRESH_MS ? 'now' : `${seconds(ms)} ago`
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1000))} s`
}

/** `12 345`, as a thin table has room for it. */
function count(number: number): string {
  return String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, ' ')
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function paintsOf(colours: boolean): Paints {
  const paint =
    (code: number): Paint =>
    (text) =>
      colours ? `\x1b[${code}m${text}\x1b[0m` : text
  return { bold: paint(1), dim: paint(2), good: paint(32), bad: paint(31) }
}
