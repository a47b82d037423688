/** A level on the wire, as a meter would show it: what is active low is the hub's business. */
export type WireLevel = 0 | 1
/** A line as somebody asks for it: its offset, or its name. */
export type LineKey = number | string

export interface ChipLine {
  readonly offset: number
  readonly name: string
}

/** Who holds lines of the chip, and hears of them. */
export interface ChipOwner {
  edge(line: LineKey, level: WireLevel): void
  /** So many edges were dropped before the next one. */
  lost(count: number): void
  /** The chip is pulled out. */
  gone(): void
}

export interface ChipRequest {
  readonly inputs: readonly LineKey[]
  readonly outputs: readonly (readonly [line: LineKey, level: WireLevel])[]
}

interface Line extends ChipLine {
  level: WireLevel
  owner: ChipOwner | undefined
  /** The key that its owner knows it by. */
  key: LineKey
  input: boolean
}

/**
 * A GPIO chip without a kernel: each line has one owner at most, inputs are driven by the world, outputs by their
 * owner. An output that is let go keeps its level, as on the kernels of the Raspberry Pi.
 */
export class GpioChip {
  readonly #lines: readonly Line[]
  readonly #output: (offset: number, level: WireLevel) => void
  #deaf = 0
  #dropped = 0
  #plugged = true

  /** @param output hears of each output that changes its level */
  constructor(lines: readonly ChipLine[], output: (offset: number, level: WireLevel) => void) {
    this.#lines = lines.map((line) => ({ ...line, level: 0, owner: undefined, key: line.offset, input: false }))
    this.#output = output
  }

  get plugged(): boolean {
    return this.#plugged
  }

  /** How many lines somebody holds. */
  get held(): number {
    return this.#lines.filter(({ owner }) => owner !== undefined).length
  }

  /** @throws Error when there is no such line */
  level(key: LineKey): WireLevel {
    return this.#at(key).level
  }

  /** The world drives a line: an edge for whoever holds it as an input. */
  drive(offset: number, level: WireLevel): void {
    const line = this.#at(offset)
    if (line.level === level) return
    line.level = level
    if (line.owner === undefined || !line.input) return
    if (this.#deaf > 0) {
      this.#deaf -= 1
      this.#dropped += 1
      if (this.#deaf === 0) this.#tellDropped()
      return
    }
    line.owner.edge(line.key, level)
  }

  /** The next so many edges are dropped; that they are missing is told after the last of them. */
  loseEdges(count: number): void {
    this.#deaf = count
  }

  /**
   * All lines or none. @returns the levels of the inputs, in their order
   * @throws Error with what is wrong, in words
   */
  request(owner: ChipOwner, { inputs, outputs }: ChipRequest): readonly WireLevel[] {
    if (!this.#plugged) throw new Error('the chip is pulled out')
    const wanted = [...inputs, ...outputs.map(([key]) => key)].map((key) => ({ key, line: this.#find(key) }))
    for (const { key, line } of wanted) {
      if (line === undefined) throw new Error(`there is no line ${key}`)
      if (line.owner !== undefined) throw new Error(`line ${key} is held by somebody else`)
    }
    for (const { key, line } of wanted) Object.assign(line!, { owner, key, input: inputs.includes(key) })
    for (const [key, level] of outputs) this.set(owner, key, level)
    return inputs.map((key) => this.#find(key)!.level)
  }

  /** @throws Error when it is not an output of this owner */
  set(owner: ChipOwner, key: LineKey, level: WireLevel): void {
    const line = this.#find(key)
    if (line === undefined || line.owner !== owner || line.input) throw new Error(`line ${key} is no output of yours`)
    if (line.level === level) return
    line.level = level
    this.#output(line.offset, level)
  }

  letGo(owner: ChipOwner): void {
    for (const line of this.#lines) if (line.owner === owner) line.owner = undefined
  }

  /** The cable of the chip is pulled: whoever holds lines loses them. */
  unplug(): void {
    this.#plugged = false
    const owners = new Set(this.#lines.flatMap(({ owner }) => (owner === undefined ? [] : [owner])))
    for (const line of this.#lines) line.owner = undefined
    for (const owner of owners) owner.gone()
  }

  plugIn(): void {
    this.#plugged = true
  }

  #tellDropped(): void {
    const owners = new Set(this.#lines.flatMap(({ owner, input }) => (owner === undefined || !input ? [] : [owner])))
    for (const owner of owners) owner.lost(this.#dropped)
    this.#dropped = 0
  }

  #at(key: LineKey): Line {
    const line = this.#find(key)
    if (line === undefined) throw new Error(`the simulated chip has no line ${key}`)
    return line
  }

  #find(key: LineKey): Line | undefined {
    return this.#lines.find(({ offset, name }) => offset === key || name === key)
  }
}
