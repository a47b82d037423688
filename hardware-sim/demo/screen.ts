/** A terminal whose last lines are drawn anew again and again, without touching what stands above them. */
export class LiveScreen {
  readonly #out: NodeJS.WriteStream
  #height = 0

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  get columns(): number {
    return this.#out.columns ?? 80
  }

  get rows(): number {
    return this.#out.rows ?? 24
  }

  /** NO_COLOR is what https://no-color.org asks programs to obey. */
  get colours(): boolean {
    return process.env.NO_COLOR === undefined && this.#out.hasColors()
  }

  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, this.rows - 1)
    const up = this.#height === 0 ? '' : `\x1b[${this.#height}A`
    // Lines that are too long are cut off by the terminal (DECAWM off), or the next picture would not fit over this one.
    const text = shown.map((line) => `${line}\x1b[K\n`).join('')
    this.#out.write(`\x1b[?25l\x1b[?7l${up}\r${text}\x1b[J\x1b[?7h`)
    this.#height = shown.length
  }

  /** Leave the last picture standing and give the cursor back. */
  end(): void {
    this.#out.write('\x1b[?25h')
    this.#height = 0
  }
}
