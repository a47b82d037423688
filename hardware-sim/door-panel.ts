import type { Clock } from '../gateway/contract/clock.ts'
import type { Random } from '../gateway/contract/io.ts'
import { GpioChip, type WireLevel } from './gpio-chip.ts'
import { serveChip } from './gpio-socket.ts'

export interface DoorWorld {
  readonly clock: Clock
  readonly random: Random
  /** Ends whatever is under way; nobody moves afterwards. */
  readonly signal: AbortSignal
}

export interface DoorPanelOptions extends DoorWorld {
  readonly socketPath: string
}

/** Where the door is wired to the chip; the line of offset 17 is called GPIO17 there. */
export const DOOR_LINES = { lock: 17, contact: 27, exitButton: 22, fire: 23, tamper: 24 } as const
/** A reed contact closes and opens a few times before it stays. */
const BOUNCES = 3
const BOUNCE_MS = 0.6
const PRESS_MS = 300
const OPEN_AFTER_MS = 800
const PASSING_MS = 1500
const HISTORY_MAX = 10_000

/** Each level that the lock's output was set to, and when. */
export interface LockChange {
  readonly level: WireLevel
  readonly monoMs: number
}

/** A door on a GPIO chip whose people listen on a local socket. Ends with the signal. */
export async function startDoorPanel(options: DoorPanelOptions): Promise<DoorPanel> {
  const panel = new DoorPanel(options)
  await serveChip(panel.chip, options.socketPath, options.signal)
  return panel
}

/** A chip with a door on it: the lock is an output, contact, exit button, fire panel and cover are inputs. */
export class DoorPanel {
  readonly chip: GpioChip
  readonly #world: DoorWorld
  readonly #history: LockChange[] = []
  #pulses = 0
  #moves = 0

  constructor(world: DoorWorld) {
    this.#world = world
    const lines = Object.values(DOOR_LINES).map((offset) => ({ offset, name: `GPIO${offset}` }))
    this.chip = new GpioChip(lines, (offset, level) => this.#output(offset, level))
  }

  /** The newest changes of the lock's output, oldest first. */
  get history(): readonly LockChange[] {
    return this.#history
  }

  /** @param forMs how long it is held down */
  async pressExit(forMs = PRESS_MS): Promise<void> {
    this.chip.drive(DOOR_LINES.exitButton, 1)
    try {
      await this.#sleep(forMs)
    } finally {
      this.chip.drive(DOOR_LINES.exitButton, 0)
    }
  }

  /** Pull the handle. @returns false when the lock holds it */
  async openDoor(): Promise<boolean> {
    if (this.chip.level(DOOR_LINES.lock) !== 1) return false
    await this.#contact(1)
    return true
  }

  /** Open it, whatever the lock does. */
  async force(): Promise<void> {
    await this.#contact(1)
  }

  async shutDoor(): Promise<void> {
    await this.#contact(0)
  }

  /** Press the exit button, go through, let it fall shut. @returns whether the door let them through */
  async visit(): Promise<boolean> {
    await this.pressExit()
    await this.#sleep(OPEN_AFTER_MS - PRESS_MS)
    if (!(await this.openDoor())) return false
    await this.#sleep(PASSING_MS)
    await this.shutDoor()
    return true
  }

  fire(active: boolean): void {
    this.chip.drive(DOOR_LINES.fire, active ? 1 : 0)
  }

  /** The cover of the panel is taken off, or put back. */
  cover(off: boolean): void {
    this.chip.drive(DOOR_LINES.tamper, off ? 1 : 0)
  }

  /** `pulses`: how often the lock was released; `held`: whether a hub holds the lines. */
  state(): { readonly open: boolean; readonly released: boolean; readonly pulses: number; readonly held: boolean } {
    return {
      open: this.chip.level(DOOR_LINES.contact) === 1,
      released: this.chip.level(DOOR_LINES.lock) === 1,
      pulses: this.#pulses,
      held: this.chip.held > 0,
    }
  }

  /** Somebody who moves the door anew stops whoever moved it before. */
  async #contact(level: WireLevel): Promise<void> {
    this.#moves += 1
    const move = this.#moves
    if (this.chip.level(DOOR_LINES.contact) === level) return
    const { random } = this.#world
    for (let bounce = 0; bounce < BOUNCES; bounce++) {
      for (const now of [level, level === 1 ? 0 : 1] as const) {
        this.chip.drive(DOOR_LINES.contact, now)
        await this.#sleep(BOUNCE_MS * random.next())
        if (move !== this.#moves) return
      }
    }
    this.chip.drive(DOOR_LINES.contact, level)
  }

  #output(offset: number, level: WireLevel): void {
    if (offset !== DOOR_LINES.lock) return
    if (level === 1) this.#pulses += 1
    this.#history.push({ level, monoMs: this.#world.clock.monoMs() })
    if (this.#history.length > HISTORY_MAX) this.#history.shift()
  }

  #sleep(ms: number): Promise<void> {
    return this.#world.clock.sleep(ms, this.#world.signal)
  }
}
