import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { promiseOf } from './broken.ts'
import { faultsOf, KINDS } from './faults.ts'
import { MUTANTS } from './mutants.ts'
import { type RunResult, shrink, simulate } from './run.ts'

const USAGE = `npm run sim:soak -- [--hours 600] [--run 24] [--seed 1]
  So many simulated hours, in runs of so many, each with the next seed. Exit code 1 and the shortest list of faults where a promise breaks.
npm run sim:mutants -- [--only NAME]
  Every planted bug has to break a promise within a minute.
`
const MUTANT_HOURS = 48
const MUTANT_MS = 60_000
/** The exit code of `mutant-run.ts` when a promise broke. */
const FOUND = 3
/** From so many hours on each kind of fault has to have happened. */
const PROVING_HOURS = 600

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '600' },
    run: { type: 'string', default: '24' },
    seed: { type: 'string', default: '1' },
    mutants: { type: 'boolean', default: false },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) process.stdout.write(USAGE)
else if (values.mutants) process.exitCode = catchMutants(values.only)
else process.exitCode = await soak(Number(values.hours), Number(values.run), Number(values.seed))

async function soak(hours: number, runHours: number, firstSeed: number): Promise<number> {
  const startedMs = performance.now()
  const sum: Record<string, number> = {}
  const struck: Record<string, number> = {}
  let done = 0
  for (let seed = firstSeed; done < hours; seed++) {
    const result = await simulate(seed, Math.min(runHours, hours - done))
    if (result.broken !== undefined) return await explain(result)
    done += result.hours
    const { counts, deliveries, duplicates } = result
    add(sum, { ...counts, deliveries, duplicates })
    add(struck, result.struck)
  }
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10
  process.stdout.write(`${JSON.stringify({ hours: done, seconds, broken: 0, ...sum })}\n`)
  process.stdout.write(`faults ${JSON.stringify(struck)}\n`)
  const never = KINDS.filter((kind) => struck[kind] === undefined)
  if (never.length === 0 || done < PROVING_HOURS) return 0
  process.stdout.write(`never happened: ${never.join(', ')}; the simulation proves nothing about them\n`)
  return 1
}

function add(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + value
}

/** The seed, the last of the trace, and the shortest list of faults that still breaks the same promise. */
async function explain({ seed, hours, broken = '', step, tail = [] }: RunResult): Promise<number> {
  process.stdout.write(
    `seed ${seed}, step ${step} of ${hours} h: ${broken}\n${tail.join('\n')}\nleaving out faults ...\n`,
  )
  const promise = promiseOf(broken)
  const least = await shrink(seed, hours, async (faults) => {
    const { broken: again } = await simulate(seed, hours, faults)
    return again !== undefined && promiseOf(again) === promise
  })
  const list = least.map((fault) => `  step ${fault.step}: ${fault.kind} ${fault.amount.toFixed(3)}`).join('\n')
  process.stdout.write(`${least.length} of ${faultsOf(seed, hours).length} faults are enough:\n${list}\n`)
  return 1
}

function catchMutants(only: string | undefined): number {
  let escaped = 0
  for (const mutant of MUTANTS.filter(({ name }) => only === undefined || name === only)) {
    const startedMs = performance.now()
    const found = whatBreaks(mutant.name)
    const expected = found !== undefined && mutant.breaks.includes(promiseOf(found.broken))
    if (!expected) escaped += 1
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
    const verdict = found === undefined ? 'ESCAPED' : expected ? 'caught ' : 'WRONGLY'
    const where = found === undefined ? '' : `\n    seed ${found.seed}, step ${found.step}: ${found.broken}`
    process.stdout.write(`${verdict} ${seconds.padStart(5)} s  ${mutant.name} (${mutant.breaks.join(', ')})${where}\n`)
  }
  return escaped === 0 ? 0 : 1
}

/** A process of its own, with the bug in it: it has to find that a promise is broken, and says which. */
function whatBreaks(name: string): Required<Pick<RunResult, 'seed' | 'step' | 'broken'>> | undefined {
  const plant = fileURLToPath(new URL('./plant.ts', import.meta.url))
  const program = fileURLToPath(new URL('./mutant-run.ts', import.meta.url))
  const { status, stdout } = spawnSync(process.execPath, ['--import', plant, program, String(MUTANT_HOURS)], {
    env: { ...process.env, LINLI_MUTANT: name },
    timeout: MUTANT_MS,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  return status === FOUND ? JSON.parse(stdout) : undefined
}
