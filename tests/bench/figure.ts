/** What can be said to a group on the command line. */
export interface GroupOptions {
  /** Length of the long log, for a quick look; ten million where nothing is said. */
  readonly events?: number | undefined
}

/**
 * What a benchmark group hands over. A group is a file beside this one (`log.ts`, `upstream.ts`, `line.ts`,
 * `hub.ts`) that exports `figures(options: GroupOptions): Promise<BenchFigure[]>`; `main.ts` runs it and prints what
 * it gives.
 */
export interface BenchFigure {
  /** Group and noun, such as `log.ingest`. */
  readonly name: string
  /** Null where it could not be measured here: then `note` says why. */
  readonly value: number | null
  /** Such as `events/s`, `s`, `MB`; of a bare share: `ratio`. */
  readonly unit: string
  /** What it was measured beside, in the same run and unit; null when nothing was. */
  readonly baseline: number | null
  /** `value` over `baseline`; of alternating runs the median of the ratios of each pair. */
  readonly ratio: number | null
  /** Such as `ratio >= 0.6` or `value <= 130`; null when the figure is only told. */
  readonly goal: string | null
  readonly ok: boolean
  /** Least and greatest of the runs behind `ratio`, or behind `value` where there is no baseline. */
  readonly spread: readonly [number, number] | null
  readonly runs: number
  /** What was compared with what, in one line. */
  readonly note: string
}

/** The bound that a figure has to keep: absolute ones for sizes and times, ratios for everything that is a speed. */
export interface Goal {
  readonly of: 'value' | 'ratio'
  readonly is: '>=' | '<='
  readonly bound: number
}

export const ratioAtLeast = (bound: number): Goal => ({ of: 'ratio', is: '>=', bound })
export const ratioAtMost = (bound: number): Goal => ({ of: 'ratio', is: '<=', bound })
export const valueAtLeast = (bound: number): Goal => ({ of: 'value', is: '>=', bound })
export const valueAtMost = (bound: number): Goal => ({ of: 'value', is: '<=', bound })

export interface Measured {
  readonly name: string
  readonly unit: string
  readonly note: string
  readonly goal: Goal | null
}

/** The figure of several runs that were compared with nothing: their median. */
export function figureOf(measured: Measured, runs: readonly number[]): BenchFigure {
  const value = median(runs)
  return finish(measured, { value, baseline: null, ratio: null, spread: range(runs), runs: runs.length })
}

/** The figure of pairs that were run in turn: the median of their ratios, because each pair had the same weather. */
export function figureOfPairs(measured: Measured, pairs: readonly Pair[]): BenchFigure {
  const ratios = pairs.map(({ value, baseline }) => value / baseline)
  return finish(measured, {
    value: median(pairs.map(({ value }) => value)),
    baseline: median(pairs.map(({ baseline }) => baseline)),
    ratio: median(ratios),
    spread: range(ratios),
    runs: pairs.length,
  })
}

/** A figure for which this machine lacks something: never kept, so that nobody takes it for a good one. */
export function notMeasured({ name, unit, note, goal }: Measured, why: string): BenchFigure {
  const none = { value: null, baseline: null, ratio: null, spread: null, runs: 0 }
  return { name, unit, note: `not measured: ${why} (${note})`, ...none, goal: goalText(goal), ok: false }
}

export interface Pair {
  readonly value: number
  readonly baseline: number
}

/**
 * Run ours and the other one in turn, `count` times, who begins changing from pair to pair. A machine that is
 * shared gets four times slower or faster within minutes: only what ran side by side may be compared.
 * @param count odd and at least 5, so that the median is one of the runs
 */
export async function alternatingPairs(
  count: number,
  ours: () => Promise<number>,
  other: () => Promise<number>,
): Promise<Pair[]> {
  if (count < 5 || count % 2 === 0) throw new Error(`${count} pairs: an odd number of at least 5 is wanted`)
  const pairs: Pair[] = []
  for (let index = 0; index < count; index++) {
    if (index % 2 === 0) {
      const value = await ours()
      pairs.push({ value, baseline: await other() })
    } else {
      const baseline = await other()
      pairs.push({ value: await ours(), baseline })
    }
  }
  return pairs
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[sorted.length >> 1]
  const lower = sorted[(sorted.length - 1) >> 1]
  if (upper === undefined || lower === undefined) throw new Error('no values: nothing has a median')
  return (upper + lower) / 2
}

function range(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)]
}

function finish(
  { name, unit, note, goal }: Measured,
  result: Pick<BenchFigure, 'baseline' | 'ratio' | 'spread' | 'runs'> & { readonly value: number },
): BenchFigure {
  if (goal === null) return { name, unit, note, ...result, goal: null, ok: true }
  const judged = goal.of === 'ratio' ? result.ratio : result.value
  if (judged === null) throw new Error(`${name}: its goal is a ratio, but there is no baseline`)
  const ok = goal.is === '>=' ? judged >= goal.bound : judged <= goal.bound
  return { name, unit, note, ...result, goal: goalText(goal), ok }
}

function goalText(goal: Goal | null): string | null {
  return goal === null ? null : `${goal.of} ${goal.is} ${goal.bound}`
}
