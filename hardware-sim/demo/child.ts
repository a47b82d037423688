import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The checkout that the programs are started from. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const TAIL_LINES = 20

/** How a process ended: one of the two is null. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** `exit code 1`, `SIGKILL`, or why it was never started. */
export function howText(how: Exit | Error): string {
  return how instanceof Error ? how.message : (how.signal ?? `exit code ${how.code}`)
}

export interface ChildOptions {
  /** What `node` is told: the program, relative to the checkout, and its arguments. */
  readonly program: readonly string[]
  /** Where what it says on standard error goes, appended; on standard output, too, unless `lines` is given. */
  readonly logFile: string
  /** Gets each line of its standard output; it then has a standard input as well. */
  readonly lines?: (line: string) => void
  readonly environment?: Readonly<Record<string, string>>
}

/** A program of ours in a process group of its own, which ends with us whatever happens to us short of kill -9. */
export class Child {
  readonly pid: number
  readonly ended: Promise<Exit>
  readonly #process: ChildProcess
  readonly #logFile: string
  #exit: Exit | undefined

  constructor({ program, logFile, lines, environment }: ChildOptions) {
    const log = openSync(logFile, 'a')
    const talks = lines !== undefined
    this.#logFile = logFile
    this.#process = spawn(process.execPath, [...program], {
      cwd: REPOSITORY,
      detached: true,
      env: { ...process.env, ...environment },
      stdio: [talks ? 'pipe' : 'ignore', talks ? 'pipe' : log, log],
    })
    closeSync(log)
    // A program that could not be started has no pid, and its 'error' event says why.
    this.pid = this.#process.pid ?? 0
    const onOurExit = (): void => this.kill('SIGKILL')
    process.once('exit', onOurExit)
    this.ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject)
      this.#process.once('exit', (code, signal) => {
        process.off('exit', onOurExit)
        this.#exit = { code, signal }
        resolve(this.#exit)
      })
    })
    // Whoever waits for it hears it; nobody waiting is no crash of ours.
    this.ended.catch(() => undefined)
    if (lines !== undefined) this.#listen(lines)
  }

  get running(): boolean {
    return this.#exit === undefined && this.pid !== 0
  }

  /** Signal it and everything that it started. */
  kill(signal: NodeJS.Signals): void {
    if (this.pid === 0) return
    try {
      process.kill(-this.pid, signal)
    } catch (error) {
      // Nobody of the group is left.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  /** SIGTERM, and SIGKILL for what is left after `limitMs`. */
  async stop(limitMs: number): Promise<Exit> {
    if (this.#exit === undefined) this.kill('SIGTERM')
    const timer = setTimeout(() => this.kill('SIGKILL'), limitMs)
    try {
      return await this.ended
    } finally {
      clearTimeout(timer)
      this.kill('SIGKILL')
    }
  }

  write(line: string): void {
    this.#process.stdin?.write(`${line}\n`)
  }

  /** The end of what it said, for an error message. */
  tail(): string {
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n')
  }

  #listen(lines: (line: string) => void): void {
    let unread = ''
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (unread + text).split('\n')
      unread = parts.pop() ?? ''
      for (const line of parts) lines(line)
    })
    // It may end while we write to it: that is heard by `ended`.
    this.#process.stdin?.on('error', () => undefined)
  }
}
