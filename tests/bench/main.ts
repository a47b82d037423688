import { parseArgs } from 'node:util'
import type { BenchFigure, GroupOptions } from './figure.ts'

const HELP = `npm run bench [-- GROUP ...] [--json] [--events N]

Measures ours and what it is compared with side by side, and holds each figure against its goal.
  GROUP   log, upstream, line, hub; without any, all of them
  --json  one JSON line a figure instead of the table
  --events N
          length of the long log in the group log; ten million where nothing is said

Exit code 1 when a goal is missed or could not be measured. Close other programs first: ratios stand a busy machine, absolute times do not.
`

/** A long log is longer than the short one that it is held beside. */
const EVENTS_LEAST = 20_000

/** What a group is: its figures, in the order in which they are printed. */
interface Group {
  figures(options: GroupOptions): Promise<readonly BenchFigure[]>
}

const GROUPS: Readonly<Record<string, () => Promise<Group>>> = {
  log: () => import('./log.ts'),
  upstream: () => import('./upstream.ts'),
  line: () => import('./line.ts'),
  hub: () => import('./hub.ts'),
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      events: { type: 'string' },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const unknown = positionals.filter((name) => GROUPS[name] === undefined)
  if (unknown.length > 0) {
    process.stderr.write(`no such group: ${unknown.join(', ')}; there are ${Object.keys(GROUPS).join(', ')}\n`)
    return 2
  }
  const options: GroupOptions = values.events === undefined ? {} : { events: Number(values.events) }
  if (options.events !== undefined && !(Number.isInteger(options.events) && options.events >= EVENTS_LEAST)) {
    process.stderr.write(`--events ${values.events}: a whole number of at least ${EVENTS_LEAST} is wanted\n`)
    return 2
  }
  const wanted = positionals.length === 0 ? Object.keys(GROUPS) : positionals
  const missed: string[] = []
  if (!values.json) process.stdout.write(`${HEAD}\n`)
  for (const name of wanted) {
    process.stderr.write(values.json || process.stdout.isTTY !== true ? '' : `measuring ${name} ...\r`)
    for (const figure of await figuresOf(name, options, missed)) {
      process.stdout.write(values.json ? `${JSON.stringify(figure)}\n` : `${rowOf(figure)}\n`)
      if (!figure.ok) missed.push(figure.name)
    }
  }
  if (missed.length > 0) process.stderr.write(`\nmissed: ${missed.join(', ')}\n`)
  return missed.length === 0 ? 0 : 1
}

/** A group that can't be measured is missed as a whole; the others are measured all the same. */
async function figuresOf(name: string, options: GroupOptions, missed: string[]): Promise<readonly BenchFigure[]> {
  try {
    return await (await GROUPS[name]!()).figures(options)
  } catch (error) {
    process.stderr.write(`${name}: not measured: ${error instanceof Error ? error.stack : error}\n`)
    missed.push(name)
    return []
  }
}

const WIDTHS = [26, 14, 12, 12, 9, 20, 17] as const
const HEAD = cells(['figure', 'value', 'unit', 'baseline', 'ratio', 'goal', 'least-greatest'], '')

function rowOf(figure: BenchFigure): string {
  const { name, value, unit, baseline, ratio, goal, spread, ok, note } = figure
  const range = spread === null ? '' : `${short(spread[0])}-${short(spread[1])}`
  const verdict = value === null ? 'NOT MEASURED' : goal === null ? '' : ok ? 'kept' : 'MISSED'
  const columns = [name, short(value), unit, short(baseline), short(ratio), goal ?? '', range]
  return `${cells(columns, verdict)}\n  ${note}`
}

function cells(texts: readonly string[], verdict: string): string {
  const padded = texts.map((text, i) =>
    i === 1 || i === 3 || i === 4 ? text.padStart(WIDTHS[i]! - 2) : text.padEnd(WIDTHS[i]! - 2),
  )
  return `${padded.join('  ')}  ${verdict}`.trimEnd()
}

/** Three figures that count; whole numbers as they are. */
function short(value: number | null): string {
  if (value === null) return ''
  if (Math.abs(value) >= 1000) return String(Math.round(value))
  return String(Number(value.toPrecision(3)))
}

// What a group left open must not keep the program: its figures are printed.
process.exit(await main())
