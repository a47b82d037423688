import { writeFileSync } from 'node:fs'
import { simulate } from './run.ts'

/** Long enough that the room is full. */
const RUN_HOURS = 6

/** Run seeds until a promise breaks: exit code 3, and which on the standard output; else 0. */
const hours = Number(process.argv[2] ?? 24)
process.exitCode = 0
for (let seed = 1, left = hours; left > 0; seed++, left -= RUN_HOURS) {
  const { broken, step } = await simulate(seed, RUN_HOURS)
  if (broken !== undefined) {
    writeFileSync(1, JSON.stringify({ seed, step, broken }))
    process.exit(3)
  }
}
