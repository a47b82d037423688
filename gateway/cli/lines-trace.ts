import { isFault } from '../contract/fault.ts'
import { readArguments } from './arguments.ts'
import { awayFault } from './hub-access.ts'
import { askLines, LINE_OPTIONS, linesOf } from './line-access.ts'
import type { Terminal } from './terminal.ts'

const OPTIONS = { ...LINE_OPTIONS, live: { type: 'boolean', default: false } } as const
/** So many bytes of a frame are shown; `--json` has all of them. */
const SHOWN_BYTES_MAX = 24

/** One question and what was heard, as a line shows it. */
export interface Exchange {
  readonly device?: string
  readonly time: string
  readonly monoUs: number
  readonly asked?: { readonly hex: string; readonly words: readonly string[] }
  readonly heard?: {
    readonly pieces: readonly { readonly monoUs: number; readonly hex: string }[]
    readonly words: readonly string[]
  }
  readonly droppedBytes?: number
  readonly ending: string
  readonly words: string
}

interface Incident {
  readonly number: number
  readonly words: string
  readonly device?: string
  readonly time: string
  readonly monoUs: number
  readonly times: number
  readonly lastTime: string
  readonly at: number
  readonly exchanges: readonly Exchange[]
}

/** What a line shows as `trace`. */
export interface Trace {
  readonly incidents: readonly Incident[]
  readonly forgotten: number
  readonly lately: readonly Exchange[]
}

/** `linli lines trace ID`: what was on a line around each fault, or what is on it now. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS, ['ID'])
  const path = `/${encodeURIComponent(positionals[0]!)}/trace`
  if (values.live) return follow(path, values, terminal)
  const trace = JSON.parse(await (await askLines(path, values, terminal)).text()) as Trace
  terminal.out(values.json ? `${JSON.stringify(trace, undefined, 2)}\n` : traceText(trace))
  return 0
}

/** Until Ctrl-C, or until the hub ends it. */
async function follow(
  path: string,
  values: { readonly settings?: string | undefined; readonly url?: string | undefined; readonly json: boolean },
  terminal: Terminal,
): Promise<number> {
  const { signal } = terminal
  try {
    const answer = await askLines(`${path}?live=true`, values, terminal, signal)
    for await (const line of linesOf(answer)) {
      // An empty line is a sign of life.
      if (line !== '') terminal.out(values.json ? `${line}\n` : liveText(JSON.parse(line)))
    }
    return 0
  } catch (error) {
    if (signal.aborted) return 0
    if (isFault(error)) throw error
    throw awayFault(values.url ?? 'its address', error)
  }
}

export function traceText({ incidents, forgotten, lately }: Trace): string {
  const parts = incidents.map(incidentText)
  if (forgotten > 0) parts.unshift(`${forgotten} older incidents gave way\n`)
  if (incidents.length === 0) parts.push('no fault was recorded since the hub was started\n')
  if (lately.length > 0) {
    const fromUs = lately[0]!.monoUs
    parts.push(
      `lately, from ${clockText(lately[0]!.time)} on\n${lately.map((each) => exchangeText(each, fromUs)).join('')}`,
    )
  }
  return parts.join('\n')
}

/** Times count from the question that it is about. */
function incidentText({ number, words, device, time, monoUs, times, lastTime, at, exchanges }: Incident): string {
  const whom = device === undefined ? '' : `${device}: `
  const again = times === 1 ? '' : `, ${times} times until ${clockText(lastTime)}`
  const zeroUs = exchanges[at]?.monoUs ?? monoUs
  const head = `${number}  ${whom}${words}, ${clockText(time)}${again}\n`
  return head + exchanges.map((each, place) => exchangeText(each, zeroUs, place === at ? '>' : ' ')).join('')
}

function liveText(exchange: Exchange | { readonly dropped: number }): string {
  if ('dropped' in exchange) return `  ${exchange.dropped} exchanges were too fast to be shown\n`
  return `${clockText(exchange.time)}\n${exchangeText(exchange, exchange.monoUs)}`
}

/** What went out and what came, a line each with its time in seconds, its bytes, and what they say. */
function exchangeText(exchange: Exchange, zeroUs: number, mark = ' '): string {
  const { device = '', monoUs, asked, heard, droppedBytes = 0, ending, words } = exchange
  const row = (us: string, who: string, what: string, bytes: string, said: string): string =>
    `${`${us.padStart(13)}  ${who.padEnd(14)}  ${what.padEnd(5)}  ${bytes}`.trimEnd()}\n${said === '' ? '' : `${' '.repeat(38)}${said}\n`}`
  let text = ''
  if (asked !== undefined) {
    text += row(`${mark} ${offset(monoUs - zeroUs)}`, device, 'asked', shortHex(asked.hex), asked.words.join('; '))
  }
  for (const [at, piece] of (heard?.pieces ?? []).entries()) {
    const last = at === heard!.pieces.length - 1
    const said = last ? heard!.words.join('; ') : ''
    text += row(offset(piece.monoUs - zeroUs), '', 'heard', shortHex(piece.hex), said)
  }
  if (droppedBytes > 0) text += row('', '', '', `and ${droppedBytes} bytes more`, '')
  return ending === 'answered' ? text : text + row('', '', '', words, '')
}

/** Seconds with their microseconds, and a sign. */
function offset(us: number): string {
  return `${us < 0 ? '-' : '+'}${(Math.abs(us) / 1e6).toFixed(6)}`
}

function shortHex(hex: string): string {
  const bytes = hex.split(' ')
  if (bytes.length <= SHOWN_BYTES_MAX) return hex
  return `${bytes.slice(0, SHOWN_BYTES_MAX).join(' ')} ... (${bytes.length} bytes)`
}

function clockText(time: string): string {
  return time.replace('T', ' ').replace('Z', '')
}
