/** What the hub says to its operator. One line a call, English, no secrets. `fields` are for programs. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
  /** A log whose every line carries these fields. */
  with(fields: Record<string, unknown>): Log
}
