import { dirname, resolve } from 'node:path'
import { EVENT_CLASSES, type EventClass } from '../contract/event.ts'
import { Fault, isFault } from '../contract/fault.ts'
import type { Forecast } from '../store/forecast.ts'
import { forecastOfFile } from '../store/stored-forecast.ts'
import { readArguments } from './arguments.ts'
import { askHub, localUrl } from './hub-access.ts'
import { readGeneralSettings, settingsPath } from './settings-file.ts'
import type { Terminal } from './terminal.ts'

const OPTIONS = {
  settings: { type: 'string' },
  url: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const
const ANSWER_MS = 10_000

/** How long the room of the log lasts: from the hub where it runs, else from the file. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = readArguments(args, OPTIONS)
  const forecast =
    values.url === undefined
      ? await ofSettings(settingsPath(values.settings, terminal), terminal)
      : await ofHub(values.url, terminal)
  terminal.out(values.json ? `${JSON.stringify(forecast, undefined, 2)}\n` : inWords(forecast))
  return 0
}

async function ofSettings(file: string, terminal: Terminal): Promise<Forecast> {
  const { storage, api } = readGeneralSettings(file)
  try {
    return forecastOfFile(resolve(dirname(file), storage.path), { keepMs: storage.keepMs, maxBytes: storage.maxBytes })
  } catch (error) {
    if (!isFault(error) || error.code !== 'store-in-use' || api === undefined) throw error
    return await ofHub(localUrl(file), terminal)
  }
}

/** @throws Fault when nobody answers, or the hub runs too short a time to say */
async function ofHub(base: string, terminal: Terminal): Promise<Forecast> {
  const signal = AbortSignal.any([terminal.signal, AbortSignal.timeout(ANSWER_MS)])
  return forecastIn(await (await askHub(base, '/metrics', terminal, signal)).text())
}

/** The forecast among the figures of a hub (Prometheus text format 0.0.4). */
function forecastIn(metrics: string): Forecast {
  const value = (name: string, label = ''): number | undefined => {
    const line = metrics.split('\n').find((each) => each.startsWith(`${name}${label} `))
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1).replace('+Inf', 'Infinity'))
  }
  const days = (found: number | undefined): number | undefined => (Number.isFinite(found) ? found : undefined)
  const byClass = <T>(of: (label: string) => T): Record<EventClass, T> =>
    Object.fromEntries(EVENT_CLASSES.map((name) => [name, of(`{class="${name}"}`)])) as Record<EventClass, T>
  if (value('linli_log_days_until_thinning') === undefined) {
    throw new Fault('connection', 'the hub does not know yet how fast its log grows', { hint: 'ask in ten minutes' })
  }
  const writtenADay = days(value('linli_disk_written_bytes_a_day'))
  return {
    ...(writtenADay === undefined ? {} : { writtenADay }),
    bytesADay: byClass((label) => value('linli_log_bytes_a_day', label) ?? 0),
    daysUntilThinning: days(value('linli_log_days_until_thinning')),
    daysUntilLoss: byClass((label) => days(value('linli_log_days_until_loss', label))),
  }
}

function inWords({ bytesADay, writtenADay, daysUntilThinning, daysUntilLoss }: Forecast): string {
  const lines = EVENT_CLASSES.map(
    (name) => `${name.padEnd(10)} ${size(bytesADay[name]).padStart(9)} a day   lost ${when(daysUntilLoss[name])}`,
  )
  if (writtenADay !== undefined) lines.push(`written    ${size(writtenADay).padStart(9)} a day`)
  return `${lines.join('\n')}\nreadings are thinned ${when(daysUntilThinning)}\n`
}

function when(days: number | undefined): string {
  if (days === undefined) return 'never at this rate'
  return days < 1 ? 'now or within a day' : `in ${Math.floor(days)} days`
}

function size(bytes: number): string {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`
}
