import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WorldCommand } from '../command.ts'
import type { DeliveryReport } from '../delivery-record.ts'
import type { LineStatistics } from '../line-statistics.ts'
import type { ModbusTcpStatistics } from '../modbus-tcp.ts'
import type { WorldAddresses } from '../settings-file.ts'
import { Child, type Exit, howText } from './child.ts'

const START_MS = 20_000
const ANSWER_MS = 20_000
const STOP_MS = 5000

/** The first line that `npm run sim` prints. */
export interface Ready extends WorldAddresses {
  readonly folder: string
  /** A settings file for a hub that shall work in this world. */
  readonly settings: string
}

/** The answer to `{"do":"report"}`. */
export interface Report {
  readonly elapsedMs: number
  readonly broker?: DeliveryReport & { readonly cutOff: boolean }
  readonly lines: Readonly<Record<string, LineStatistics>>
  readonly modbusTcp: Readonly<Record<string, ModbusTcpStatistics>>
  readonly door?: {
    readonly open: boolean
    readonly released: boolean
    readonly pulses: number
    readonly held: boolean
  }
}

type Answer = { readonly ok: boolean; readonly id?: unknown; readonly error?: string }

interface Question {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/** A simulated community, running as the program that `npm run sim` is. */
export class Simulator {
  readonly ready: Ready
  readonly child: Child
  readonly #questions: Map<number, Question>
  #next = 1

  private constructor(ready: Ready, child: Child, questions: Map<number, Question>) {
    this.ready = ready
    this.child = child
    this.#questions = questions
    const fail = (how: Exit | Error): void => {
      for (const { reject } of questions.values())
        reject(new Error(`the simulator has ended (${howText(how)})\n${child.tail()}`))
      questions.clear()
    }
    child.ended.then(fail, fail)
  }

  /**
   * @param folder where ports, settings and logs go; it must be somebody else's business to remove it
   * @param scenario what there is, as `npm run sim -- --scenario` takes it; without it the default one
   */
  static start(folder: string, scenario?: object): Promise<Simulator> {
    mkdirSync(folder, { recursive: true })
    const program = ['hardware-sim/cli.ts', '--json', '--folder', folder]
    if (scenario !== undefined) {
      const file = join(folder, 'scenario.json')
      writeFileSync(file, JSON.stringify(scenario))
      program.push('--scenario', file)
    }
    const questions = new Map<number, Question>()
    return new Promise((resolve, reject) => {
      const logFile = join(folder, 'simulator.log')
      const child = new Child({ program, logFile, lines: (line) => hear(line) })
      const give = (error: Error): void => {
        clearTimeout(timer)
        child.kill('SIGKILL')
        reject(error)
      }
      const timer = setTimeout(() => give(new Error(`the simulator does not get ready:\n${child.tail()}`)), START_MS)
      child.ended.then((how) => give(new Error(`the simulator ended (${howText(how)})\n${child.tail()}`)), give)
      const hear = (line: string): void => {
        const said = JSON.parse(line) as Partial<Ready & { ready: true }> & Answer
        if (said.ready === true) {
          clearTimeout(timer)
          resolve(new Simulator(said as Ready, child, questions))
          return
        }
        const question = questions.get(said.id as number)
        questions.delete(said.id as number)
        question?.resolve(said)
      }
    })
  }

  /** Tell it what to do. Rejects with what it says was wrong. */
  async ask(command: WorldCommand): Promise<Readonly<Record<string, unknown>>> {
    const id = this.#next++
    const answer = await new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#questions.delete(id)
        reject(new Error(this.#silence(command)))
      }, ANSWER_MS)
      this.#questions.set(id, {
        resolve: (said) => {
          clearTimeout(timer)
          resolve(said)
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      })
      this.child.write(JSON.stringify({ ...command, id }))
    })
    if (!answer.ok) throw new Error(`the simulator refuses ${JSON.stringify(command)}: ${answer.error}`)
    return answer as unknown as Readonly<Record<string, unknown>>
  }

  #silence(command: WorldCommand): string {
    const state = this.child.running ? 'it runs' : 'it has ended'
    return `the simulator does not answer ${JSON.stringify(command)} within ${ANSWER_MS} ms; ${state}, and said:\n${this.child.tail()}`
  }

  async report(): Promise<Report> {
    return (await this.ask({ do: 'report' })) as unknown as Report
  }

  /** What reached the platform. */
  async deliveries(): Promise<DeliveryReport> {
    const { broker } = await this.report()
    if (broker === undefined) throw new Error('this scenario has no broker')
    return broker
  }

  async end(): Promise<void> {
    await this.child.stop(STOP_MS)
  }
}
