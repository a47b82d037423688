import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drivers } from '../drivers/index.ts'
import type { Clock } from './contract/clock.ts'
import type { Driver } from './contract/driver.ts'
import type { Log } from './contract/log.ts'
import { AuditHeads } from './core/audit-heads.ts'
import { ClockQuality } from './core/clock-quality.ts'
import { ClockWatch } from './core/clock-watch.ts'
import type { ConnectionPlan } from './core/connection.ts'
import { Desk } from './core/desk.ts'
import { DeskMemory } from './core/desk-memory.ts'
import { beat } from './core/heartbeat.ts'
import { createHubRecord } from './core/hub-record.ts'
import { recallReadings } from './core/last-readings.ts'
import { createRecorder } from './core/recorder.ts'
import { createSupervisor } from './core/supervisor.ts'
import { within } from './core/within.ts'
import { startInterface } from './interface.ts'
import { loadAuditKey } from './io/audit-key.ts'
import { createClock } from './io/clock.ts'
import { endOn } from './io/ending.ts'
import { commandId, keyedHash, loadHubKey } from './io/hub-key.ts'
import { createLog } from './io/log.ts'
import { machineBoot } from './io/machine-boot.ts'
import { createProfiles } from './io/profiles.ts'
import { createNotifier } from './io/sd-notify.ts'
import { createSecrets } from './io/secrets.ts'
import { createSystemIo } from './io/system.ts'
import { checkSettings, problemText } from './settings/check.ts'
import { logOptionsOf } from './settings/log-options.ts'
import type { Settings } from './settings/schema.ts'
import { openStore } from './store/open.ts'
import type { Store } from './store/store.ts'
import { partingFrom } from './upstream/parting.ts'
import { startUpstream } from './upstream/upstream.ts'

/** The composition root: the only file that knows everyone. */

export interface RunOptions {
  readonly settingsFile: string
  /** Ends the hub; SIGTERM and SIGINT do the same. */
  readonly signal?: AbortSignal
}

/** 0: ended as asked. 1: a bug or a dead store, systemd starts anew. 2: the settings are wrong, it does not. */
export type ExitCode = 0 | 1 | 2

const PROFILES_FOLDER = fileURLToPath(new URL('../config/profiles', import.meta.url))
const VERSION = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
  .version
/** Parts that do not let go within this are left to the end of the process. */
const STOP_MS = 8000

/** Run a hub until it is told to end. */
export async function runHub(options: RunOptions): Promise<ExitCode> {
  const log = createLog(process.env.LINLI_LOG === 'debug' ? 'debug' : 'info', process.env.JOURNAL_STREAM !== undefined)
  const settings = readSettings(options.settingsFile, log)
  if (settings === undefined) return 2
  const notifier = createNotifier(process.env)
  const ending = endOn(options.signal)
  const quality = new ClockQuality()
  const clock = createClock(quality.judge)
  try {
    const hub = await startHub(settings, { file: options.settingsFile, clock, quality, log, signal: ending.signal })
    beat(hub.store, notifier, clock, ending.signal)
    notifier.ready()
    const reload = (): void => hub.reload()
    process.on('SIGHUP', reload)
    const reason = await Promise.race([hub.broken, aborted(ending.signal)])
    process.off('SIGHUP', reload)
    if (reason !== undefined) log.error('the hub can not go on', { error: reason })
    notifier.stopping()
    ending.end()
    const stopped = await within(
      STOP_MS,
      hub.stop().then(() => true),
      clock,
    )
    if (stopped === undefined) log.warn('not everything let go in time')
    return reason === undefined ? 0 : 1
  } catch (error) {
    log.error('the hub did not start', { error })
    return 1
  } finally {
    ending.forget()
  }
}

interface HubParts {
  readonly file: string
  readonly clock: Clock
  readonly quality: ClockQuality
  readonly log: Log
  readonly signal: AbortSignal
}

interface Hub {
  readonly store: Store
  /** Resolves with what can't be lived with: a bug, a dead store. */
  readonly broken: Promise<unknown>
  /** Read the settings file anew; a bad one leaves the old settings in force. */
  reload(): void
  stop(): Promise<void>
}

async function startHub(settings: Settings, parts: HubParts): Promise<Hub> {
  const { clock, quality, log, signal } = parts
  const startedMs = clock.monoMs()
  const besides = dirname(resolve(parts.file))
  const path = resolve(besides, settings.storage.path)
  const profiles = createProfiles({ folder: PROFILES_FOLDER, besides })
  const secrets = createSecrets({ besides, credentials: process.env.CREDENTIALS_DIRECTORY })
  const io = createSystemIo({ profiles, secrets })
  const store = await openStore({ path, clock, log, machine: machineBoot, ...logOptionsOf(settings) })
  quality.notBefore(store.clock.pastMs)
  const key = loadHubKey(dirname(path))
  const recorder = createRecorder({ store, clock, log, hash: keyedHash(key) }, signal)
  const record = createHubRecord({ recorder, clock, log })
  const auditKey = loadAuditKey(dirname(path))
  const { epoch } = store
  const origin = { version: VERSION, node: process.versions.node, epoch, auditKey: auditKey.fingerprint }
  await record('linli.hub.started', origin)
  const readings = await recallReadings({ store, clock, log })
  const supervisor = createSupervisor({ clock, log, io, recorder, readings })
  const auditHeads = new AuditHeads({ hub: settings.hub.id, store, recorder, clock, key: auditKey, signal })
  const clockWatch = new ClockWatch({ clock, quality, store, known: store.clock, log, signal })
  await supervisor.apply(plansOf(settings))
  const memory = await DeskMemory.recall({ store, clock, log })
  const idOf = commandId(key)
  const desk = new Desk({ devices: supervisor, recorder, clock, log, idOf, limits: settings.commands, signal }, memory)
  // Platforms are parted from last, so that they hear of the end.
  const parting = new AbortController()
  const common = { hub: settings.hub.id, store, clock, random: io.random, log, secrets, signal: parting.signal }
  const upstreams = settings.upstream.map((options) => ({ id: options.id, link: startUpstream(options, common) }))
  const seen = { settings, startedMs, clock, store, recorder, supervisor, desk, clockWatch, upstreams }
  const about = { version: VERSION, dataFolder: dirname(path) }
  const api = await startInterface(settings, { ...parts, ...about, seen, io, key, auditKey, record })
  log.info('the hub runs', { hub: settings.hub.id, epoch: store.epoch, lastSeq: store.lastSeq(), api: api?.url })
  const ends = upstreams.map(({ link }) => link.done.then(() => new Promise<never>(() => undefined)))
  return {
    store,
    broken: Promise.race([supervisor.broken, store.failed, ...ends]).catch((error: unknown) => error),
    reload() {
      const next = readSettings(parts.file, log)
      if (next === undefined) {
        log.warn('the old settings stay in force')
        void record('linli.settings.refused', {})
        return
      }
      supervisor.apply(plansOf(next)).then(
        (changed) => {
          log.info('settings were read anew', changed)
          return record('linli.settings.applied', changed)
        },
        (error) => log.error('settings were not put in force', { error }),
      )
    },
    async stop() {
      await api?.close()
      await supervisor.stop()
      await desk.settled()
      await clockWatch.done
      await auditHeads.done
      await record('linli.hub.stopped', {})
      await auditHeads.last()
      const links = upstreams.map(({ link }) => link)
      await partingFrom(links, clock)
      parting.abort(new Error('the hub stops'))
      await Promise.allSettled(links.map(({ done }) => done))
      await store.close()
      log.info('the hub has stopped', { lastSeq: store.lastSeq() })
    },
  }
}

/** The settings, or undefined after every mistake in them was said. */
function readSettings(file: string, log: Log): Settings | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    log.error(`the settings file can't be read: ${file}`, { error })
    return undefined
  }
  const { settings, problems } = checkSettings(text, file, drivers)
  for (const problem of problems) {
    const say = problem.severity === 'error' ? log.error : log.warn
    say(problemText(problem))
  }
  return settings
}

function plansOf(settings: Settings): ConnectionPlan[] {
  return settings.connections.map(({ id, kind, options }) => ({
    id,
    driver: drivers[kind as keyof typeof drivers] as Driver,
    options,
  }))
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((done) => {
    if (signal.aborted) done(undefined)
    else signal.addEventListener('abort', () => done(undefined), { once: true })
  })
}
