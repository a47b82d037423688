import { simulate } from './run.ts'

/** Long enough that the room is full. */
const RUN_HOURS = 12

/** Run seeds until a promise breaks: exit code 3, else 0. */
const hours = Number(process.argv[2] ?? 24)
process.exitCode = 0
for (let seed = 1, left = hours; left > 0; seed++, left -= RUN_HOURS) {
  const { broken } = await simulate(seed, RUN_HOURS)
  if (broken !== undefined) {
    process.stdout.write(`${broken}\n`)
    process.exit(3)
  }
}
