import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../contract/clock.ts'
import { isFault } from '../../contract/fault.ts'
import { ClockQuality } from '../../core/clock-quality.ts'
import { createClock } from '../../io/clock.ts'
import { type Finding, well } from './finding.ts'

const NODE_OLDEST = 24
/** A hub takes about 130 MB; the system wants its share. */
const MEMORY_BYTES_MIN = 384_000_000

/** @param version such as `24.21.0`; the hub's source is TypeScript that Node itself must strip of types */
export function nodeFinding(version = process.versions.node): Finding {
  if (Number.parseInt(version, 10) >= NODE_OLDEST) return well('node', `Node ${version}`)
  const hint = 'start it with node_modules/.bin/node, which comes with the hub'
  return { state: 'bad', subject: 'node', text: `Node ${version} is older than ${NODE_OLDEST}`, hint }
}

/** Open a database as the hub does, in a folder of its own: the library loads, and its SQLite keeps the promises. */
export async function sqliteFinding(): Promise<Finding> {
  const folder = mkdtempSync(join(tmpdir(), 'linli-doctor-'))
  try {
    const { openSqlite } = await import('../../store/sqlite.ts')
    const db = openSqlite(join(folder, 'doctor.db'))
    const version = db.prepare('SELECT sqlite_version()').pluck().get()
    db.close()
    return well('sqlite', `SQLite ${version}`)
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const hint = (isFault(error) ? error.hint : undefined) ?? 'install the packages again: npm run setup'
    return { state: 'bad', subject: 'sqlite', text, hint }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const TIME_SOURCE_HINT =
  'let it reach a time server: apt install chrony, or timedatectl set-ntp true. No battery clock is needed: ' +
  'what was recorded before is corrected when the time is found'

/** @param clock the machine's, judged as the hub does */
export function clockFinding(clock: Pick<Clock, 'state' | 'wallMs'> = createClock(new ClockQuality().judge)): Finding {
  const state = clock.state()
  const now = new Date(clock.wallMs()).toISOString()
  const doubt = (text: string): Finding => ({ state: 'doubtful', subject: 'clock', text, hint: TIME_SOURCE_HINT })
  switch (state) {
    case 'synced':
      return well('clock', `${now}, in step with a time server`)
    case 'holdover':
      return well('clock', `${now}, kept from a time server that is away`)
    case 'never':
      return doubt(`${now}: was never set`)
    case 'unsynced':
      return doubt(`${now}: no time server vouches for it`)
    default:
      return state satisfies never
  }
}

export function memoryFinding(bytes = totalmem()): Finding {
  const text = `${Math.round(bytes / 1e6)} MB`
  if (bytes >= MEMORY_BYTES_MIN) return well('memory', text)
  const hint = 'a hub takes about 130 MB beside the system'
  return { state: 'doubtful', subject: 'memory', text: `${text} is little`, hint }
}
