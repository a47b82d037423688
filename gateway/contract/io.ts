/**
 * The outside world as parameters. The real implementations stand in `gateway/io`, one file each; the simulated
 * ones in `hardware-sim`. Every failure of the world is a Fault of reach `connection` unless said otherwise.
 */
export interface Io {
  readonly serial: SerialIo
  readonly tcp: TcpIo
  readonly http: HttpIo
  readonly gpio: GpioIo
  readonly udp: UdpIo
  readonly profiles: ProfileIo
  readonly secrets: SecretIo
  readonly random: Random
}

export interface Random {
  /** Uniform in [0, 1). For jitter, never for secrets. */
  next(): number
  /** Bytes fit for keys, nonces and ids. */
  bytes(count: number): Uint8Array
}

/** A two-way stream of bytes with one owner: a serial port or a TCP connection. */
export interface Wire {
  /** Resolves when the bytes are with the kernel. */
  write(bytes: Uint8Array): Promise<void>
  /**
   * What has arrived and was not read yet. Resolves as soon as `atLeast` bytes are there, or at `untilMonoMs`
   * with what there is, which may be nothing. An implementation may sleep through the arrival of the first
   * pieces: each wake-up costs. Rejects with a Fault when the wire is gone.
   */
  read(atLeast: number, untilMonoMs: number): Promise<Uint8Array>
  /** Forget what has arrived and was not read. */
  discard(): void
  close(): Promise<void>
  /** Resolves with the reason when the wire is gone, closed by us (undefined) or by the world (a Fault). */
  readonly gone: Promise<Error | undefined>
}

export type Parity = 'none' | 'even' | 'odd'
export interface SerialSettings {
  readonly baud: number
  readonly dataBits: 7 | 8
  readonly parity: Parity
  readonly stopBits: 1 | 2
}
export interface SerialPortInfo {
  readonly path: string
  readonly byPath?: string
  readonly byId?: string
  readonly serialNumber?: string
  readonly maker?: string
}
export interface SerialWire extends Wire {
  /** Change the speed and framing between two requests. Resolves when it is in force and written bytes are out. */
  configure(settings: SerialSettings): Promise<void>
}
export interface SerialIo {
  open(path: string, settings: SerialSettings, signal: AbortSignal): Promise<SerialWire>
  list(): Promise<readonly SerialPortInfo[]>
}

export interface TcpIo {
  /** @param timeoutMs for the connection to stand. */
  dial(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<Wire>
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** For the whole exchange, from dialling to the last byte. */
  readonly timeoutMs: number
  /** A longer answer is cut off and is a Fault. */
  readonly bytesMax: number
}
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}
export interface HttpIo {
  /** Redirects are not followed. */
  request(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>
}

export interface UdpIo {
  /** A socket on the interface with this address (or all), joined to no group; closed by `signal`. */
  open(address: string | undefined, signal: AbortSignal): Promise<UdpSocket>
  /** Addresses of this machine's interfaces that are up, IPv4. */
  addresses(): Promise<readonly string[]>
}
export interface UdpSocket {
  send(bytes: Uint8Array, port: number, host: string): Promise<void>
  /** The next datagram, or undefined at `untilMonoMs`. */
  receive(untilMonoMs: number): Promise<{ readonly bytes: Uint8Array; readonly from: string } | undefined>
}

export interface ProfileIo {
  /**
   * The parsed JSON of a profile: `maker/model` from the folder of profiles, or a path beside the settings file
   * (`./site/pump.json`). Rejects with a Fault of reach `setup` that names the nearest known profile.
   */
  load(reference: string): Promise<unknown>
  list(): Promise<readonly string[]>
}

export interface SecretIo {
  /** The secret of this name, from the credentials folder. Rejects with a Fault of reach `setup` that says where it was looked for. */
  load(name: string): Promise<string>
}

/** A level as the application means it: active-low wiring is the chip's business. */
export type Level = 'active' | 'inactive'
export interface LineInput {
  readonly name: string
  /** Offset on the chip, or the line's name. */
  readonly line: number | string
  readonly activeLow: boolean
  readonly bias: 'pull-up' | 'pull-down' | 'none'
  readonly debounceUs: number
}
export interface LineOutput {
  readonly name: string
  readonly line: number | string
  readonly activeLow: boolean
  /** The level that the output has from the moment it is requested. */
  readonly initial: Level
}
export interface Edge {
  readonly name: string
  readonly level: Level
  /** When the kernel saw it, on `Clock.monoMs`. */
  readonly monoMs: number
}
export interface GpioLines {
  /** The levels of all inputs now, by name. */
  read(): Promise<Readonly<Record<string, Level>>>
  set(name: string, level: Level): Promise<void>
  /**
   * The next edges in order, at least one. `lost` counts edges that the kernel dropped before them: read the
   * levels again. Rejects with a Fault when the chip is gone, with `signal.reason` on abort.
   */
  edges(signal: AbortSignal): Promise<{ readonly edges: readonly Edge[]; readonly lost: number }>
  /** Drive every output to its `initial` level, then let go. */
  release(): Promise<void>
}
export interface GpioIo {
  /** @param chip label of the chip (`pinctrl-bcm2711`), or `sim:PATH` for a simulated one. Every line in one request. */
  open(
    chip: string,
    lines: { readonly inputs: readonly LineInput[]; readonly outputs: readonly LineOutput[] },
    signal: AbortSignal,
  ): Promise<GpioLines>
}
