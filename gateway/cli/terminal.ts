/** Where a verb reads and writes: the process's own streams, or those of a test. */
export interface Terminal {
  /** For results: what a pipe takes. */
  out(text: string): void
  /** For problems: what a person reads. */
  error(text: string): void
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Folder that relative paths count from. */
  readonly folder: string
  /** Aborts on Ctrl-C; verbs that wait end then. */
  readonly signal: AbortSignal
}

/** Shells say so of a program that a signal has ended (POSIX, 2.8.2). */
const INTERRUPTED = 130

export function processTerminal(): Terminal {
  const ending = new AbortController()
  // Who pipes into `head` closes the pipe when it has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  return {
    out: (text) => process.stdout.write(text),
    error: (text) => process.stderr.write(text),
    environment: process.env,
    folder: process.cwd(),
    get signal() {
      // Asked for by verbs that wait only: for others Ctrl-C ends the process at once, as it is used to.
      process.once('SIGINT', () => {
        ending.abort()
        process.once('SIGINT', () => process.exit(INTERRUPTED))
      })
      return ending.signal
    },
  }
}
