import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { createClock } from '../../gateway/io/clock.ts'
import { createLog } from '../../gateway/io/log.ts'
import { directPort } from '../../gateway/store/direct-port.ts'
import { openStore } from '../../gateway/store/open.ts'
import { storeContract } from './store.ts'

const folder = mkdtempSync(join(tmpdir(), 'linli-store-'))
afterAll(() => rmSync(folder, { recursive: true }))
let count = 0
const options = () => ({
  path: join(folder, `${count++}.db`),
  hub: 'hub-01',
  clock: createClock(),
  log: createLog('error', false),
  gatherMs: 1,
  urgentMs: 1,
})

storeContract('SQLite in its thread', () => openStore(options()))
storeContract('SQLite at hand', () => openStore({ ...options(), port: () => directPort() }))
storeContract('SQLite, nothing kept in memory', () => openStore({ ...options(), tailEvents: 0 }))
