import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MUTANTS } from './mutants.ts'
import { faultsOf, type RunResult, shrink, simulate } from './run.ts'

const USAGE = `npm run sim:soak -- [--hours 600] [--run 24] [--seed 1]
  So many simulated hours, in runs of so many, each with the next seed. Exit code 1 and the shortest list of faults where a promise breaks.
npm run sim:mutants -- [--only NAME]
  Every planted bug has to break a promise within a minute.
`
const MUTANT_HOURS = 48
const MUTANT_MS = 60_000

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
  const sum = { hours: 0, events: 0, crashes: 0, refusals: 0, faults: 0, deliveries: 0, duplicates: 0 }
  for (let seed = firstSeed; sum.hours < hours; seed++) {
    const result = await simulate(seed, Math.min(runHours, hours - sum.hours))
    if (result.broken !== undefined) return await explain(result)
    sum.hours += result.hours
    for (const name of ['events', 'crashes', 'refusals'] as const) sum[name] += result.counts[name]
    for (const name of ['faults', 'deliveries', 'duplicates'] as const) sum[name] += result[name]
  }
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10
  process.stdout.write(`${JSON.stringify({ ...sum, seconds, broken: 0 })}\n`)
  return 0
}

/** The seed, and the shortest list of faults that still breaks it. */
async function explain({ seed, hours, broken }: RunResult): Promise<number> {
  process.stdout.write(`seed ${seed}, ${hours} h: ${broken}\nleaving out faults ...\n`)
  const least = await shrink(seed, hours, async (faults) => (await simulate(seed, hours, faults)).broken !== undefined)
  const list = least.map(({ step, kind, amount }) => `  step ${step}: ${kind} ${amount.toFixed(3)}`).join('\n')
  process.stdout.write(`${least.length} of ${faultsOf(seed, hours).length} faults are enough:\n${list}\n`)
  return 1
}

function catchMutants(only: string | undefined): number {
  let escaped = 0
  for (const { name } of MUTANTS.filter((mutant) => only === undefined || mutant.name === only)) {
    const startedMs = performance.now()
    const caught = isCaught(name)
    if (!caught) escaped += 1
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
    process.stdout.write(`${caught ? 'caught ' : 'ESCAPED'} ${seconds.padStart(5)} s  ${name}\n`)
  }
  return escaped === 0 ? 0 : 1
}

/** A process of its own, with the bug in it: it has to find that a promise is broken. */
function isCaught(name: string): boolean {
  const plant = fileURLToPath(new URL('./plant.ts', import.meta.url))
  const program = fileURLToPath(new URL('./mutant-run.ts', import.meta.url))
  const { status } = spawnSync(process.execPath, ['--import', plant, program, String(MUTANT_HOURS)], {
    env: { ...process.env, LINLI_MUTANT: name },
    timeout: MUTANT_MS,
    stdio: 'ignore',
  })
  return status === 3
}
