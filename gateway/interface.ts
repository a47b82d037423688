import { resolve } from 'node:path'
import type { Api } from './api/server.ts'
import type { Clock } from './contract/clock.ts'
import type { Json } from './contract/event.ts'
import type { Figure } from './contract/figure.ts'
import type { Io } from './contract/io.ts'
import type { Log } from './contract/log.ts'
import type { ClockWatch } from './core/clock-watch.ts'
import type { Desk } from './core/desk.ts'
import { isWell } from './core/health.ts'
import type { HubRecord } from './core/hub-record.ts'
import type { Recorder } from './core/recorder.ts'
import type { Supervisor } from './core/supervisor.ts'
import type { AuditKey } from './io/audit-key.ts'
import { fileStamp, readFileText, writeFileDurably } from './io/files.ts'
import { processFigures } from './io/process-figures.ts'
import type { Settings } from './settings/schema.ts'
import type { OpenedStore } from './store/opened-store.ts'
import type { Upstream } from './upstream/upstream.ts'

/** What of a running hub is shown over HTTP, and how it is put together. */

/** What runs, for whoever looks at it. */
interface Parts {
  readonly settings: Settings
  readonly startedMs: number
  readonly clock: Clock
  readonly store: OpenedStore
  readonly recorder: Recorder
  readonly supervisor: Supervisor
  readonly desk: Desk
  readonly clockWatch: ClockWatch
  readonly upstreams: readonly { readonly id: string; readonly link: Upstream }[]
}

export interface InterfaceParts {
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly seen: Parts
  readonly dataFolder: string
  readonly version: string
  readonly io: Io
  readonly key: Uint8Array
  readonly auditKey: AuditKey
  readonly record: HubRecord
}

/** The HTTP interface, loaded only where the settings ask for it: its library costs a tenth of a second and 10 MB. */
export async function startInterface(settings: Settings, parts: InterfaceParts): Promise<Api | undefined> {
  if (settings.api === undefined) return undefined
  const { clock, log, signal, seen, io, key, auditKey, record } = parts
  const [{ startApi }, { createTokenBook }] = await Promise.all([import('./api/server.ts'), import('./api/tokens.ts')])
  const tokens = createTokenBook({
    path: resolve(parts.dataFolder, 'tokens.json'),
    files: { read: readFileText, write: writeFileDurably, stamp: fileStamp },
    random: io.random,
    clock,
    changed: (change) => void record('linli.tokens.changed', change),
  })
  return startApi({
    ...settings.api,
    hub: { id: settings.hub.id, version: parts.version, epoch: () => seen.store.epoch, auditKey },
    key,
    secrets: io.secrets,
    store: seen.store,
    desk: seen.desk,
    connections: seen.supervisor,
    backup: (by) => record('linli.log.copied', { by }).then(() => seen.store.backup()),
    consumers: settings.consumers,
    clock,
    log,
    signal,
    tokens,
    health: () => healthOf(seen),
    figures: () => figuresOf(seen),
  })
}

/** What `/healthz` tells to who may know. */
function healthOf({ settings, startedMs, clock, store, recorder, supervisor, clockWatch, upstreams }: Parts): {
  ok: boolean
  [name: string]: Json
} {
  const connections = supervisor.health()
  const volatile = recorder.volatile()
  const disk = store.disk()
  return {
    ok: volatile === 0 && disk !== 'full' && isWell(connections),
    hub: settings.hub.id,
    uptimeSeconds: Math.round((clock.monoMs() - startedMs) / 1000),
    clock: clock.state(),
    time: clockWatch.health(),
    log: { epoch: store.epoch, firstSeq: store.firstSeq(), lastSeq: store.lastSeq(), volatileEvents: volatile, disk },
    connections: JSON.parse(JSON.stringify(connections)),
    upstream: upstreams.map(({ id, link }) => {
      const { connected, lag, lastError } = link.state()
      return { id, connected, lag, ...(lastError === undefined ? {} : { lastError }) }
    }),
  }
}

function figuresOf({ store, recorder, supervisor, desk, clockWatch, upstreams }: Parts): readonly Figure[] {
  return [
    ...store.figures(),
    ...recorder.figures(),
    ...supervisor.figures(),
    ...desk.figures(),
    ...clockWatch.figures(),
    ...upstreams.flatMap(({ link }) => link.figures()),
    ...processFigures(),
  ]
}
