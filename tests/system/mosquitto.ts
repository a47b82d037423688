import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { freePort, listens } from './free-port.ts'
import { pathOf } from './needs.ts'

/** A mosquitto of its own for one test; `needs('mosquitto')` first. */
export class Mosquitto {
  readonly port: number
  readonly folder: string
  #process: ChildProcess | undefined

  private constructor(port: number, folder: string) {
    this.port = port
    this.folder = folder
  }

  /**
   * @param settings lines of mosquitto.conf(5); `{folder}` and `{port}` stand for this broker's own,
   * and `{folder}/nobody` is a file of passwords with nobody in it
   */
  static async start(settings: readonly string[] = [], listener?: readonly string[]): Promise<Mosquitto> {
    const broker = new Mosquitto(await freePort(), mkdtempSync(join(tmpdir(), 'mosquitto-')))
    const open = settings.some((line) => line.startsWith('password_file')) ? [] : ['allow_anonymous true']
    // Started by root it would become another user, who may not read this folder.
    const lines = ['user root', ...(listener ?? ['listener {port} 127.0.0.1']), ...open, ...settings]
    const text = lines.join('\n').replaceAll('{port}', String(broker.port)).replaceAll('{folder}', broker.folder)
    writeFileSync(join(broker.folder, 'nobody'), '')
    writeFileSync(join(broker.folder, 'mosquitto.conf'), `${text}\n`)
    await broker.restart()
    return broker
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`
  }

  /** kill -9: what it has not delivered is gone, and nobody is told. */
  async kill(): Promise<void> {
    const dying = this.#process
    this.#process = undefined
    if (dying === undefined || dying.exitCode !== null || dying.signalCode !== null) return
    const dead = new Promise((resolve) => dying.once('exit', resolve))
    dying.kill('SIGKILL')
    await dead
  }

  async restart(): Promise<void> {
    const program = pathOf('mosquitto')
    if (program === undefined) throw new Error('mosquitto is not installed')
    this.#process = spawn(program, ['-c', join(this.folder, 'mosquitto.conf')], { stdio: 'ignore' })
    await eventually(() => listens(this.port), 5000, `mosquitto listens on ${this.port}`)
  }

  async close(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
