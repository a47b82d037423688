import type { Log } from '../contract/log.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]
/** sd-daemon(3): journald reads the level from this prefix. */
const PRIORITY: Record<LogLevel, string> = { debug: '<7>', info: '<6>', warn: '<4>', error: '<3>' }

/**
 * Lines for a person at a terminal or for journald, one a call: `warn connection is down {"connection":"line-1"}`.
 * @param write gets each line with its end; process.stderr.write by default
 */
export function createLog(
  least: LogLevel,
  journal: boolean,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Log {
  const say = (level: LogLevel, message: string, fields: Record<string, unknown>): void => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return
    const head = journal ? PRIORITY[level] : `${new Date().toISOString()} ${level.padEnd(5)} `
    const tail = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields, plain)}`
    write(`${head}${message.replaceAll('\n', '\\n')}${tail}\n`)
  }
  const bound = (own: Record<string, unknown>): Log => ({
    debug: (message, fields) => say('debug', message, { ...own, ...fields }),
    info: (message, fields) => say('info', message, { ...own, ...fields }),
    warn: (message, fields) => say('warn', message, { ...own, ...fields }),
    error: (message, fields) => say('error', message, { ...own, ...fields }),
    with: (fields) => bound({ ...own, ...fields }),
  })
  return bound({})
}

/** Errors print their message and stack; bigints their digits. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? value.message
  return typeof value === 'bigint' ? value.toString() : value
}
