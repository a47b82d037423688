import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { Child, type Exit, REPOSITORY } from './child.ts'

/** The sources as they stand, or what `npm run build` made of them. */
const PROGRAM = process.env.LINLI_PROGRAM ?? 'gateway/cli.ts'
/** As in systemd/linli-hub.service: what lives for a moment only gets little room, which is a tenth of all memory. */
export const NODE_OPTIONS = ['--max-semi-space-size=2']
export const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' }
const COMMAND_MS = 20_000
/** A hub gives its parts 8 s to let go of everything. */
const STOP_MS = 15_000

export interface HubOptions {
  readonly settings: string
  readonly logFile: string
  readonly environment?: Readonly<Record<string, string>>
  /** For the Node that runs it, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[]
}

/** A hub as a process of its own, started with `linli run`. */
export class HubProcess {
  readonly child: Child

  constructor({ settings, logFile, environment, nodeOptions = [] }: HubOptions) {
    this.child = new Child({
      program: [...NODE_OPTIONS, ...nodeOptions, PROGRAM, 'run', settings],
      logFile,
      environment: { ...ENVIRONMENT, ...environment },
    })
  }

  /** As systemd does it. */
  stop(): Promise<Exit> {
    return this.child.stop(STOP_MS)
  }

  /** As a crash or a watchdog does it. */
  async murder(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.child.ended
  }
}

/** Make a token for a consumer with `linli token create`, as an operator does. */
export async function createToken(settings: string, consumer: string): Promise<string> {
  const program = [join(REPOSITORY, PROGRAM), 'token', 'create', consumer, '--settings', settings]
  const { stdout } = await promisify(execFile)(process.execPath, program, { timeout: COMMAND_MS })
  const token = /linli_\S+/.exec(stdout)?.[0]
  if (token === undefined) throw new Error(`linli token create printed no token: ${stdout}`)
  return token
}

/** Settings as a file holds them, before they are checked. */
export type PlainSettings = Record<string, unknown>

/** Change a settings file, such as the one that the simulator wrote. @returns its path */
export function changeSettings(path: string, change: (settings: PlainSettings) => PlainSettings): string {
  writeFileSync(path, stringify(change(parse(readFileSync(path, 'utf8')) as PlainSettings)), { mode: 0o600 })
  return path
}

/** Write a settings file into a folder of its own. @returns its path */
export function writeHubSettings(folder: string, settings: PlainSettings): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'hub.yaml')
  writeFileSync(path, stringify(settings), { mode: 0o600 })
  return path
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port is to be had'))
        else resolve(address.port)
      })
    })
  })
}
