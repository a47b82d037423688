import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../gateway/contract/clock.ts'
import type { Random } from '../gateway/contract/io.ts'

export interface DoorPanelOptions {
  readonly socketPath: string
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
}

/** Where the door is wired to the chip. */
const LINES = { lock: 17, contact: 27, exitButton: 22, fire: 23, tamper: 24 } as const
/** A reed contact closes and opens a few times before it stays. */
const BOUNCES = 3
const BOUNCE_MS = 0.6
const PRESS_MS = 300
const OPEN_AFTER_MS = 800
const PASSING_MS = 1500
const HISTORY_MAX = 10_000

/** A chip with a door on it: the lock is an output, contact, exit button, fire panel and cover are inputs. */
export interface DoorPanel {
  pressExit(): Promise<void>
  /** Pull the handle. @returns false when the lock holds it. */
  openDoor(): Promise<boolean>
  /** Open it, whatever the lock does. */
  force(): Promise<void>
  shutDoor(): Promise<void>
  /** Press the exit button, go through, let it fall shut. @returns whether the door let them through */
  visit(): Promise<boolean>
  fire(active: boolean): void
  state(): { readonly open: boolean; readonly released: boolean; readonly pulses: number; readonly held: boolean }
  /** Each level that the lock's output was set to, and when. */
  readonly history: readonly { readonly level: 0 | 1; readonly monoMs: number }[]
}

export async function startDoorPanel(options: DoorPanelOptions): Promise<DoorPanel> {
  const panel = new Panel(options)
  await panel.listen()
  return panel
}

class Panel implements DoorPanel {
  readonly history: { level: 0 | 1; monoMs: number }[] = []
  readonly #options: DoorPanelOptions
  readonly #levels = new Map<number, 0 | 1>(Object.values(LINES).map((line) => [line, 0]))
  readonly #server: Server
  #owner: Socket | undefined

  constructor(options: DoorPanelOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#serve(socket))
  }

  async listen(): Promise<void> {
    const { socketPath, signal } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(socketPath, resolve)
    })
    const close = (): void => {
      this.#owner?.destroy()
      this.#server.close()
    }
    if (signal.aborted) close()
    else signal.addEventListener('abort', close, { once: true })
  }

  async pressExit(): Promise<void> {
    this.#input(LINES.exitButton, 1)
    await this.#sleep(PRESS_MS)
    this.#input(LINES.exitButton, 0)
  }

  async openDoor(): Promise<boolean> {
    if (this.#levels.get(LINES.lock) !== 1) return false
    await this.#contact(1)
    return true
  }

  async force(): Promise<void> {
    await this.#contact(1)
  }

  async shutDoor(): Promise<void> {
    await this.#contact(0)
  }

  async visit(): Promise<boolean> {
    await this.pressExit()
    await this.#sleep(OPEN_AFTER_MS - PRESS_MS)
    if (!(await this.openDoor())) return false
    await this.#sleep(PASSING_MS)
    await this.shutDoor()
    return true
  }

  fire(active: boolean): void {
    this.#input(LINES.fire, active ? 1 : 0)
  }

  state(): { open: boolean; released: boolean; pulses: number; held: boolean } {
    return {
      open: this.#levels.get(LINES.contact) === 1,
      released: this.#levels.get(LINES.lock) === 1,
      pulses: this.history.filter(({ level }) => level === 1).length,
      held: this.#owner !== undefined,
    }
  }

  async #contact(level: 0 | 1): Promise<void> {
    if (this.#levels.get(LINES.contact) === level) return
    for (let bounce = 0; bounce < BOUNCES; bounce++) {
      this.#input(LINES.contact, level)
      await this.#sleep(BOUNCE_MS * this.#options.random.next())
      this.#input(LINES.contact, level === 1 ? 0 : 1)
      await this.#sleep(BOUNCE_MS * this.#options.random.next())
    }
    this.#input(LINES.contact, level)
  }

  #input(line: number, level: 0 | 1): void {
    if (this.#levels.get(line) === level) return
    this.#levels.set(line, level)
    this.#tell({ edge: line, level })
  }

  #serve(socket: Socket): void {
    socket.setEncoding('utf8')
    socket.on('error', () => socket.destroy())
    if (this.#owner !== undefined) {
      socket.end(`${JSON.stringify({ error: 'somebody else holds the lines' })}\n`)
      return
    }
    this.#owner = socket
    let heard = ''
    socket.on('data', (text: string) => {
      heard += text
      const lines = heard.split('\n')
      heard = lines.pop() ?? ''
      for (const line of lines) this.#take(JSON.parse(line))
    })
    socket.on('close', () => {
      if (this.#owner === socket) this.#owner = undefined
    })
  }

  #take(message: { request?: { outputs: Record<string, number> }; set?: number; level?: number }): void {
    if (message.request !== undefined) {
      for (const [line, level] of Object.entries(message.request.outputs)) this.#output(Number(line), level)
      this.#tell({ levels: Object.fromEntries(this.#levels) })
    } else if (message.set !== undefined) this.#output(message.set, message.level ?? 0)
  }

  #output(line: number, level: number): void {
    const next = level === 1 ? 1 : 0
    if (this.#levels.get(line) === next) return
    this.#levels.set(line, next)
    if (line !== LINES.lock) return
    this.history.push({ level: next, monoMs: this.#options.clock.monoMs() })
    if (this.history.length > HISTORY_MAX) this.history.shift()
  }

  #tell(message: object): void {
    this.#owner?.write(`${JSON.stringify(message)}\n`)
  }

  #sleep(ms: number): Promise<void> {
    return this.#options.clock.sleep(ms, this.#options.signal)
  }
}
