import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { duration } from '../../gateway/contract/units.ts'
import type { Account } from './account.ts'
import { Demo, pause } from './demo.ts'
import { freePort } from './hub.ts'
import { demoScenario, intervalsOf } from './scenario.ts'
import { LiveScreen } from './screen.ts'
import { lineOf, tableOf } from './table.ts'

const HELP = `npm run demo -- [--for DURATION] [--json] [--folder DIR]

A simulated community and a hub at work, each a process of its own, on this machine only: meters on serial lines and
on TCP, a door, a camera, and a platform that the events go to. The platform is taken away now and then.
  --for DURATION  end by itself after so long, such as 60s; without it, Ctrl-C ends it
  --json          print nothing but the account, as one JSON object; what happens is told on standard error
  --folder DIR    keep settings, ports and the log (var/hub.db) there; without it they are removed at the end

It ends with an account, and with exit code 1 if anything was lost.
`
const DRAW_MS = 250
const LINE_MS = 5000

interface Wish {
  readonly runMs: number | undefined
  readonly json: boolean
  readonly folder: string | undefined
}

async function main(): Promise<number> {
  const wish = readWish()
  if (wish === undefined) return 0
  const folder = wish.folder === undefined ? mkdtempSync(join(tmpdir(), 'linli-demo-')) : resolve(wish.folder)
  const stop = stopOnSignals()
  const tell = (text: string): void => {
    ;(wish.json ? process.stderr : process.stdout).write(`${text}\n`)
  }
  try {
    const account = await perform(wish, folder, { stop, tell })
    if (wish.json) process.stdout.write(`${JSON.stringify(account)}\n`)
    else tell(textOf(account))
    if (wish.folder !== undefined) tell(`\nThe log is kept: ${join(folder, 'var/hub.db')}`)
    return account.lost === 0 ? 0 : 1
  } catch (error) {
    process.stderr.write(`\nThe demonstration failed: ${error instanceof Error ? error.message : error}\n`)
    return 1
  } finally {
    if (wish.folder === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

interface Hands {
  readonly stop: AbortSignal
  readonly tell: (text: string) => void
}

async function perform(wish: Wish, folder: string, { stop, tell }: Hands): Promise<Account> {
  const listen = `127.0.0.1:${await freePort()}`
  const scenario = demoScenario(listen)
  const everyMs = intervalsOf(scenario)
  const demo = await Demo.start({ folder, scenario, everyMs, runMs: wish.runMs, say: tell })
  try {
    tell(greeting(demo))
    const over = new AbortController()
    const stopping = AbortSignal.any([
      stop,
      over.signal,
      ...(wish.runMs === undefined ? [] : [AbortSignal.timeout(wish.runMs)]),
    ])
    try {
      await Promise.all([demo.run(stopping), display(demo, wish, stopping, tell)])
    } finally {
      over.abort()
    }
    tell('\nBringing the upstream back, and counting ...')
    return await demo.account()
  } finally {
    await demo.end()
  }
}

async function display(demo: Demo, wish: Wish, stop: AbortSignal, tell: Hands['tell']): Promise<void> {
  if (wish.json || !process.stdout.isTTY) {
    while (!stop.aborted) {
      tell(lineOf(demo.picture, demo.show()))
      await pause(LINE_MS, stop)
    }
    return
  }
  const screen = new LiveScreen(process.stdout)
  try {
    while (!stop.aborted) {
      screen.draw(tableOf(demo.picture, demo.show(), screen))
      await pause(DRAW_MS, stop)
    }
  } finally {
    screen.end()
  }
}

function greeting(demo: Demo): string {
  return `
A hub of a community is at work. All of it runs on this machine, and only this machine can reach it.

  address  ${demo.client.url}
  token    ${demo.token}
  try      curl -H 'Authorization: Bearer ${demo.token}' '${demo.client.url}/v1/events?after=oldest&limit=3'

The upstream platform is taken away now and then. Ctrl-C ends everything and gives the account.`
}

/** The account for a person. */
function textOf(account: Account): string {
  const { readings, events, delivered, duplicated, lost, outages } = account
  const rows: readonly (readonly [string, string])[] = [
    ['ran', `${account.ranSeconds} s`],
    ['readings taken', `${readings}`],
    ['events durable', `${events}`],
    ['delivered', `${delivered}`],
    ['duplicated', `${duplicated}${duplicated === 0 ? '' : '  (the same id each time)'}`],
    ['lost', `${lost}`],
    ['outages', `${outages}, the longest ${account.longestOutageSeconds} s`],
    ['back after', `${account.slowestReturnSeconds} s at most`],
    ['the hub took', `${account.hubMemoryMB} MB of memory, ${account.hubCpuSeconds} s of processor time`],
  ]
  return `\n${rows.map(([name, value]) => `  ${name.padEnd(16)}${value}`).join('\n')}`
}

function readWish(): Wish | undefined {
  const { values } = parseArgs({
    options: {
      for: { type: 'string' },
      json: { type: 'boolean', default: false },
      folder: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return undefined
  }
  if (values.for === undefined) return { runMs: undefined, json: values.json, folder: values.folder }
  const runMs = duration.safeParse(values.for)
  if (!runMs.success || runMs.data < 5000) {
    process.stderr.write(
      `--for ${values.for}: a duration of at least 5s is wanted, with its unit, such as 60s or 10m\n`,
    )
    process.exit(2)
  }
  return { runMs: runMs.data, json: values.json, folder: values.folder }
}

/** The first of these ends the run and gives the account; the second ends the process, and what it started, at once. */
function stopOnSignals(): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(130)
      stop.abort()
    })
  }
  return stop.signal
}

process.exitCode = await main()
