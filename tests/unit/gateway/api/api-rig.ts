import { connect } from 'node:net'
import { afterEach, beforeEach, expect } from 'vitest'
import { createCursorCodec } from '../../../../gateway/api/cursor.ts'
import type { ApiLimits } from '../../../../gateway/api/limits.ts'
import { type Api, type ApiParts, startApi } from '../../../../gateway/api/server.ts'
import { createTokenBook } from '../../../../gateway/api/tokens.ts'
import type { CommandRight } from '../../../../gateway/contract/command.ts'
import type { Json } from '../../../../gateway/contract/event.ts'
import { rightsSchema } from '../../../../gateway/contract/rights-schema.ts'
import { createClock } from '../../../../gateway/io/clock.ts'
import { systemRandom } from '../../../../gateway/io/random.ts'
import { MemoryStore } from '../../../contract/memory-store.ts'
import { logInto } from '../upstream/rig.ts'
import { memoryFiles } from './memory-files.ts'

export const key = Buffer.alloc(32, 7)
const cursors = createCursorCodec(key, 'property')
export const NDJSON = { accept: 'application/x-ndjson' }

/** What an answer may hold, as far as these tests look into it. */
interface Body {
  readonly events: readonly { readonly linliseq: number }[]
  readonly next: string
  readonly more: boolean
  readonly oldest: string
  readonly detail: string
  readonly hint?: string
}

export interface Got {
  readonly status: number
  readonly type: string | null
  readonly text: string
  readonly headers: Headers
  readonly json: Body
}

/** The API on a real socket, with a log in memory and one consumer, `property`, who may see what is personal. */
export class ApiRig {
  store = new MemoryStore()
  files = memoryFiles()
  lines: string[] = []
  health: { ok: boolean; [name: string]: Json } = { ok: true, connections: 3 }
  stop = new AbortController()
  token = ''
  /** What `property` may have done, and who does it; set before a restart. */
  commands: readonly CommandRight[] = []
  desk: ApiParts['desk'] = nobodysDesk
  /** What the connections show; set before a restart. */
  connections: ApiParts['connections'] = noConnections
  rights: object = { privacy: 'personal' }
  backup: ApiParts['backup'] = noBackup
  api!: Api

  async start(limits: Partial<ApiLimits> = {}): Promise<void> {
    this.store = new MemoryStore()
    this.files = memoryFiles()
    this.lines = []
    this.health = { ok: true, connections: 3 }
    this.stop = new AbortController()
    const tokens = this.tokenBook()
    this.token = (await tokens.create('property')).token
    this.api = await startApi({
      listen: '127.0.0.1:0',
      hub: hubFacts,
      key,
      store: this.store,
      clock: createClock(),
      log: logInto(this.lines),
      signal: this.stop.signal,
      desk: this.desk,
      connections: this.connections,
      backup: (by) => this.backup(by),
      consumers: [
        {
          id: 'property',
          rights: rightsSchema.parse(this.rights),
          required: false,
          commands: this.commands,
        },
      ],
      tokens,
      health: () => this.health,
      figures: () => [{ name: 'linli_log_events', help: 'Events.', kind: 'gauge', value: 12 }],
      limits,
    })
  }

  /** Another process's view of the same file. */
  tokenBook() {
    return createTokenBook({ path: 'tokens.json', files: this.files, random: systemRandom, clock: createClock() })
  }

  async restart(limits: Partial<ApiLimits>): Promise<void> {
    await this.api.close()
    await this.start(limits)
  }

  async ask(path: string, init: RequestInit = {}): Promise<Got> {
    const headers = { authorization: `Bearer ${this.token}`, ...(init.headers as Record<string, string>) }
    const answer = await fetch(this.api.url + path, { ...init, headers })
    const text = await answer.text()
    const type = answer.headers.get('content-type')
    const json = /^application\/(problem\+)?json;/.test(type ?? '') ? JSON.parse(text) : undefined
    return { status: answer.status, type, text, headers: answer.headers, json }
  }

  put(path: string, body: unknown): Promise<Got> {
    return this.ask(path, { method: 'PUT', body: typeof body === 'string' ? body : JSON.stringify(body) })
  }

  /** Everything that comes back on a bare connection until it is closed. */
  exchange(bytes: string): Promise<string> {
    return new Promise((resolve) => {
      const { hostname, port } = new URL(this.api.url)
      let text = ''
      const socket = connect(Number(port), hostname, () => socket.write(bytes))
      socket.on('data', (part) => {
        text += part
      })
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(text))
    })
  }
}

export const hubFacts: ApiParts['hub'] = {
  id: 'hub-01',
  version: '1.2.3',
  epoch: () => 'e1',
  auditKey: { publicKey: 'PEM of the key', fingerprint: 'ab12' },
}

/** Of an API of a hub without connections. */
export const noConnections: ApiParts['connections'] = { accounts: () => [], views: () => undefined }

/** Of an API that nobody asks for a backup. */
export const noBackup: ApiParts['backup'] = async () => {
  throw new Error('this test wants no backup')
}

/** Of an API that nobody sends commands to. */
export const nobodysDesk: ApiParts['desk'] = {
  request: () => {
    throw new Error('this test commands nothing')
  },
  find: () => undefined,
}

/** A fresh API for each test of the file. */
export function apiForEachTest(): ApiRig {
  const rig = new ApiRig()
  beforeEach(() => rig.start())
  afterEach(() => rig.api.close())
  return rig
}

/** Waits for what the server does meanwhile. */
export const becomes = (look: () => unknown) => expect.poll(look, { timeout: 5000 })
/** The cursor at a place. */
export const at = (seq: number, epoch = 'e1'): string => cursors.write({ epoch, seq })
export const seqs = (got: Got): number[] => got.json.events.map(({ linliseq }) => linliseq)
