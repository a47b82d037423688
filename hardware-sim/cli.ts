import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { WorldCommand } from './command.ts'
import { seededRandom } from './random.ts'
import { createRealClock } from './real-clock.ts'
import { defaultScenario, loadScenario, type Scenario, ScenarioError } from './scenario.ts'
import { World } from './world.ts'

const HELP = `npm run sim -- [--scenario FILE] [--folder DIR] [--dead-meter] [--fine] [--json]

Starts a small community: meters on serial lines and on TCP, a door, a camera, and the platform's MQTT broker.
  --scenario FILE  what there is, YAML or JSON (hardware-sim/README.md); without it, a default one
  --folder DIR     where ports, settings and secrets go; without it, a folder of its own that is removed at the end
  --dead-meter     one meter of the default scenario never answers
  --fine           deadlines to 0.05 ms instead of 1 ms, for measuring; costs processor time
  --json           say where everything is as one JSON line (always so when the output is not a terminal)

Then it obeys JSON lines on standard input, each answered by one, such as {"do":"cut","what":"broker"}.
It ends on Ctrl-C, SIGTERM, or when standard input ends.
`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string' },
      folder: { type: 'string' },
      'dead-meter': { type: 'boolean', default: false },
      fine: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  const scenario =
    values.scenario === undefined ? defaultScenario({ deadMeter: values['dead-meter'] }) : loadScenario(values.scenario)
  const folder = values.folder === undefined ? mkdtempSync(join(tmpdir(), 'linli-sim-')) : resolve(values.folder)
  mkdirSync(folder, { recursive: true })
  const tidy = (): void => {
    if (values.folder === undefined) rmSync(folder, { recursive: true, force: true })
  }
  try {
    await run(scenario, folder, { fine: values.fine, json: values.json || !process.stdout.isTTY })
  } finally {
    tidy()
  }
}

async function run(
  scenario: Scenario,
  folder: string,
  how: { readonly fine: boolean; readonly json: boolean },
): Promise<void> {
  const clock = createRealClock({ fine: how.fine || scenario.fineTime })
  const world = await World.start({ scenario, folder, clock, random: seededRandom(scenario.seed), scripted: say })
  const input = createInterface({ input: process.stdin, terminal: false })
  const ended = new Promise<'told' | 'no more input'>((resolve) => {
    process.once('SIGTERM', () => resolve('told'))
    process.once('SIGINT', () => resolve('told'))
    process.once('SIGHUP', () => resolve('told'))
    input.once('close', () => resolve('no more input'))
  })
  say(how.json ? world.ready() : world.describe())
  let before: Promise<unknown> = Promise.resolve()
  input.on('line', (text) => {
    if (text.trim() === '') return
    // One after the other, so that answers come in the order of the commands.
    before = before.then(async () => {
      const line = await answer(world, text)
      say(line)
      if (line.end === true) input.close()
    })
  })
  // What was asked before the input ended is still answered; somebody who says stop does not wait for it.
  if ((await ended) === 'no more input') await before
  input.close()
  process.stdin.destroy()
  await world.close()
}

/** One line in, one line out: `ok`, or `error` with what was wrong with it. An `id` comes back as it was given. */
async function answer(world: World, text: string): Promise<Readonly<Record<string, unknown>>> {
  let id: unknown
  try {
    const { id: given, ...asked } = z.looseObject({ id: z.unknown().optional() }).parse(JSON.parse(text))
    id = given
    // What is no command is refused by obey, in words.
    const command = asked as WorldCommand
    const said = await world.obey(command)
    return { ok: true, id, do: command.do, ...said, ...(command.do === 'end' ? { end: true } : {}) }
  } catch (error) {
    return { ok: false, id, error: reasonOf(error) }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error)
  return error instanceof Error ? error.message : String(error)
}

function say(what: object | string): void {
  process.stdout.write(`${typeof what === 'string' ? what : JSON.stringify(what)}\n`)
}

/** Whether a person can put it right: a scenario, a profile, a port in use. Anything else is a mistake of ours. */
function isTheirs(error: unknown): boolean {
  return (
    error instanceof ScenarioError ||
    error instanceof z.ZodError ||
    (error instanceof Error && (error as NodeJS.ErrnoException).syscall !== undefined)
  )
}

try {
  await main()
} catch (error) {
  if (!isTheirs(error)) throw error
  process.stderr.write(`${reasonOf(error)}\n`)
  process.exitCode = 2
}
