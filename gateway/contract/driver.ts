import type { z } from 'zod'
import type { Clock } from './clock.ts'
import type { Command, CommandArguments, Outcome } from './command.ts'
import type { Json, Seen } from './event.ts'
import type { Fault } from './fault.ts'
import type { Io, SerialSettings } from './io.ts'
import type { Log } from './log.ts'

/** One declaration gives the type, the check, the JSON Schema, the form and the row in the README. */
export type Schema<T> = z.ZodType<T>

/** A mistake in the settings, or a warning: where it stands, what was found, and the way out. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  /** Path from the connection down, such as `['devices', 0, 'profile']`. */
  readonly path: readonly (string | number)[]
  readonly found: unknown
  readonly message: string
  readonly hint: string
}

/** Something outside with one owner: a serial port, a line of a GPIO chip, a Modbus TCP host. */
export interface Claim {
  /** For people, and the same for the same thing: `serial port /dev/ttyUSB0`, `line 17 of gpiochip0`. */
  readonly what: string
  /** Where the options name it, such as `['rs485', 'port']`. */
  readonly path: readonly (string | number)[]
}

/** What a verb takes: a command with anything else is refused before the driver hears of it. */
export interface Verb {
  readonly arguments: Schema<CommandArguments>
  /** What an asker may take for granted, such as `{ open: false }`. */
  readonly expect: Schema<CommandArguments>
}

/** One connection of one kind: a meter line, a door panel, a camera. */
export interface Driver<Options = unknown> {
  /** The key that a connection in the settings carries, such as `rs485`. */
  readonly kind: string
  /** The connection as it stands in the settings, less its id: `{ rs485: {...}, devices: [...] }`. */
  readonly options: Schema<Options>
  /** The devices that the options name, the connection itself where it is its only device (a door, a camera). */
  devices(options: Options, connection: string): readonly string[]
  /** What the connection must have to itself; settings in which two connections claim the same are refused. */
  claims?(options: Options): readonly Claim[]
  /** What its devices can be told to do; each is served with `host.serve` while the connection runs. */
  readonly verbs?: Readonly<Record<string, Verb>>
  /** Work until `host.signal` aborts, then return. Throw a Fault to be restarted by the supervisor. */
  run(host: Host<Options>): Promise<void>
  /** What `linli check` can find out beyond the schema without touching the device, such as a missing profile. */
  check?(options: Options, io: Pick<Io, 'profiles'>): Promise<readonly Problem[]>
  /** Look for devices while commissioning; the connection is this one's alone meanwhile. */
  probe?(host: ProbeHost<Options>): AsyncIterable<Probed>
}

/** What a search may touch. */
export type ProbeHost<Options> = Pick<Host<Options>, 'options' | 'signal' | 'clock' | 'io'> & {
  /** How many times as long as usual an answer is waited for. */
  readonly patience: number
}

/** How a search goes on, and what it brings. */
export type Probed =
  | { readonly kind: 'found'; readonly device: Found }
  /** @field part of all that is tried, 0 to 1 @field leftMs where nobody else answers */
  | { readonly kind: 'progress'; readonly part: number; readonly leftMs: number; readonly doing: string }

/** Something found on a connection while commissioning. */
export interface Found {
  readonly protocol: string
  /** Empty where somebody answers and can't be understood. */
  readonly address: string
  /** How the line has to be set for it. */
  readonly serial?: SerialSettings
  readonly maker?: string
  readonly model?: string
  readonly profile?: string
  readonly note?: string
}

/** Something that a connection shows to whoever asks, such as the last frames of a line. */
export interface View<Parameters = unknown> {
  /** What may be asked along with it: texts by their names. */
  readonly parameters: Schema<Parameters>
  /**
   * Called when somebody asks, so that it costs nothing before. What it gives is bounded; a stream waits for whoever
   * takes it, drops what it can't keep, and ends when `signal` aborts. @throws Fault where it can't be shown now
   */
  look(parameters: Parameters, signal: AbortSignal): Json | AsyncIterable<Json>
}

/** Everything that a driver may touch. What is not here, a driver may not use. */
export interface Host<Options> {
  /** The connection's id. */
  readonly connection: string
  readonly options: Options
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly log: Log
  readonly io: Io
  /** Hand over what was seen, as a batch. Resolves once it is durable; rejects when the store can't promise that. */
  emit(batch: readonly Seen[]): Promise<void>
  /** Trouble with one device while its neighbours go on working; undefined when it is well again. */
  mark(device: string, fault: Fault | undefined): void
  /** What the newest reading of this device in the log says that was written before this life of the hub. */
  lastReading(device: string): Readonly<Record<string, Json>> | undefined
  /** Serve a command verb of this connection, such as 'unlock'. */
  serve(verb: string, handler: (command: Command) => Promise<Outcome>): void
  /**
   * Show something under a name, such as `trace`. It can be looked at until the connection is stopped, also while it
   * waits for its next life, which is when people look; the next life shows it anew.
   */
  show<Parameters>(name: string, view: View<Parameters>): void
  /** What outlives this life: made once, and found again after a fault; gone with a stop. The driver bounds it. */
  keep<T>(name: string, make: () => T): T
  /** Counters of this connection for the metrics page, such as `{ requests: 12, timeouts: 1 }`; the last call holds. */
  figures(values: Readonly<Record<string, number>>): void
}
