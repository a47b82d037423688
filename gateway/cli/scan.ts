import { dirname } from 'node:path'
import { drivers } from '../../drivers/index.ts'
import type { Driver, Found, Probed } from '../contract/driver.ts'
import { Fault, isFault } from '../contract/fault.ts'
import { nearest } from '../contract/nearest.ts'
import { createClock } from '../io/clock.ts'
import { createProfiles } from '../io/profiles.ts'
import { createSecrets } from '../io/secrets.ts'
import { createSystemIo } from '../io/system.ts'
import { checkSettings } from '../settings/check.ts'
import { readArguments, UsageError } from './arguments.ts'
import { askLines, linesOf } from './line-access.ts'
import { PROFILES_FOLDER } from './repository.ts'
import { readSettingsText, settingsPath } from './settings-file.ts'
import type { Terminal } from './terminal.ts'

const OPTIONS = {
  settings: { type: 'string' },
  port: { type: 'string' },
  url: { type: 'string' },
  patience: { type: 'string', default: '1' },
  yaml: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const
const PATIENCE_MAX = 20
const BAR_CHARACTERS = 24
/** What is no screen is told how far it is this often, and when something else is tried. */
const TOLD_EVERY_PART = 0.05

/** Look for devices on a line. What was found until Ctrl-C is told all the same. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS, ['[LINE]'])
  const patience = Number(values.patience)
  if (!(patience >= 1 && patience <= PATIENCE_MAX)) {
    throw new UsageError(`--patience ${values.patience}: 1 to ${PATIENCE_MAX} is possible`)
  }
  if ((positionals[0] === undefined) === (values.port === undefined)) {
    throw new UsageError('the id of a line in the settings is wanted, or --port PATH')
  }
  const line =
    values.port === undefined ? lineOf(positionals[0]!, values.settings, terminal) : portOf(values.port, terminal)
  const { signal } = terminal
  const profiles = createProfiles({ folder: PROFILES_FOLDER, besides: line.besides })
  const io = createSystemIo({ profiles, secrets: createSecrets({ besides: line.besides }) })
  const found: Found[] = []
  const progress = new Progress(terminal)
  try {
    const local = line.driver.probe!({
      options: line.options,
      signal,
      clock: createClock(),
      io,
      patience,
    })
    for await (const step of orOfHub(local, positionals[0], { ...values, patience }, terminal)) {
      progress.show(step)
      if (step.kind !== 'found') continue
      found.push(step.device)
      if (values.json) terminal.out(`${JSON.stringify(step.device)}\n`)
      else if (!values.yaml) terminal.out(`${inWords(step.device)}\n`)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    progress.end()
  }
  if (values.yaml) terminal.out(asSettings(found))
  if (found.length === 0) terminal.error(`${signal.aborted ? 'nothing found so far' : NOBODY}\n`)
  return signal.aborted ? 1 : 0
}

/** Where a hub has the line, it is asked to search it: the search takes turns with the polling. */
async function* orOfHub(
  local: AsyncIterable<Probed>,
  line: string | undefined,
  asked: { readonly settings?: string | undefined; readonly url?: string | undefined; readonly patience: number },
  terminal: Terminal,
): AsyncIterable<Probed> {
  try {
    if (asked.url === undefined) return yield* local
  } catch (error) {
    if (line === undefined || !isFault(error) || error.code !== 'port-busy') throw error
    if (terminal.environment.LINLI_TOKEN === undefined) throw inUse(line, error)
    terminal.error(`${error.message}: the hub is asked to search it\n`)
  }
  const path = `/${encodeURIComponent(line ?? '')}/scan?patience=${asked.patience}`
  const answer = await askLines(path, asked, terminal, terminal.signal)
  for await (const text of linesOf(answer)) if (text !== '') yield JSON.parse(text) as Probed
}

function inUse(line: string, { message }: Fault): Fault {
  return new Fault('connection', message, {
    code: 'port-busy',
    hint: `if the hub has it, let the hub search: LINLI_TOKEN=... linli scan ${line}, with a token that may see all`,
  })
}

const NOBODY = `nobody answers: are the devices powered, are A and B the right way round? Slow ones need --patience 3`

interface ScannedLine {
  readonly driver: Driver
  readonly options: unknown
  readonly besides: string
}

/** @throws Fault of reach `setup` when there is no such line */
function lineOf(id: string, settings: string | undefined, terminal: Terminal): ScannedLine {
  const path = settingsPath(settings, terminal)
  const { connections } = checkSettings(readSettingsText(path), path, drivers)
  const known: Readonly<Record<string, Driver>> = drivers
  const candidates = connections.flatMap(({ connection: { id: name, kind, options } }) => {
    const driver = known[kind]
    return driver?.probe === undefined ? [] : [{ name, driver, options, besides: dirname(path) }]
  })
  const chosen = candidates.find(({ name }) => name === id)
  if (chosen !== undefined) return chosen
  const ids = candidates.map(({ name }) => name)
  const guess = nearest(id, ids)
  throw new Fault('setup', `${path} has no line \`${id}\` that can be searched`, {
    hint:
      guess === undefined
        ? `there ${ids.length === 0 ? 'is none; name a port with --port' : `are ${ids.join(', ')}`}`
        : `did you mean ${guess}?`,
  })
}

function portOf(port: string, terminal: Terminal): ScannedLine {
  const driver = drivers.rs485 as Driver
  return { driver, options: driver.options.parse({ rs485: { port } }), besides: terminal.folder }
}

/** How far the search is: a bar that stays in its place on a screen, a line now and then elsewhere. */
class Progress {
  readonly #terminal: Terminal
  readonly #screen = process.stderr.isTTY === true
  #toldPart = Number.NEGATIVE_INFINITY
  #toldDoing = ''

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  show(step: Probed): void {
    if (step.kind === 'found') {
      // The bar gives way to the line that says who was found.
      if (this.#screen) this.#terminal.error('\r\x1b[K')
      return
    }
    const { part, leftMs, doing } = step
    if (!this.#screen && part - this.#toldPart < TOLD_EVERY_PART && doing === this.#toldDoing) return
    this.#toldPart = part
    this.#toldDoing = doing
    const full = Math.round(part * BAR_CHARACTERS)
    const bar = `[${'#'.repeat(full)}${'.'.repeat(BAR_CHARACTERS - full)}]`
    const text = `${bar} ${Math.round(part * 100)} %, ${duration(leftMs)} to go: ${doing}`
    this.#terminal.error(this.#screen ? `\r\x1b[K${text}` : `${text}\n`)
  }

  end(): void {
    if (this.#screen) this.#terminal.error('\r\x1b[K')
  }
}

function duration(ms: number): string {
  const s = Math.ceil(ms / 1000)
  return s < 120 ? `${s} s` : `${Math.round(s / 60)} min`
}

function inWords({ protocol, address, serial, maker, model, profile, note }: Found): string {
  const who = address === '' ? 'somebody' : address
  const name = [maker, model].filter((part) => part !== undefined).join(' ')
  const parts = [`${protocol.padEnd(7)} ${who.padEnd(14)} ${framing(serial).padEnd(11)}`, name, profile, note]
  return parts.filter((part) => part !== undefined && part !== '').join('  ')
}

function framing(serial: Found['serial']): string {
  return serial === undefined
    ? ''
    : `${serial.baud} ${serial.dataBits}${serial.parity[0]!.toUpperCase()}${serial.stopBits}`
}

/** The devices as they stand in the settings, ready to paste. */
function asSettings(found: readonly Found[]): string {
  const lines = found.flatMap(({ protocol, address, serial, profile, note }, at) => {
    if (address === '') return [`  # ${protocol}: ${note ?? ''}`]
    const where = /^\d{1,3}$/.test(address) ? address : `"${address}"`
    const speed = serial === undefined ? '' : `{ baud: ${serial.baud}, parity: ${serial.parity} }`
    return [
      `  - id: meter-${at + 1}`,
      ...(profile === undefined ? [`    profile: maker/model # ${note ?? 'which one?'}`] : [`    profile: ${profile}`]),
      `    address: ${where}`,
      ...(speed === '' ? [] : [`    serial: ${speed}`]),
      ...(profile !== undefined && note !== undefined ? [`    # ${note}`] : []),
    ]
  })
  return `devices:${lines.length === 0 ? ' []' : ''}\n${lines.map((line) => `${line}\n`).join('')}`
}
