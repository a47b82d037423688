import { type ParseArgsConfig, type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { nearest } from '../contract/nearest.ts'

/** The command was called in a way that it does not know: exit code 2, and its usage. */
export class UsageError extends Error {}

type Parsed<T extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>
>

/**
 * Options and names of a verb. @throws UsageError that names the nearest option, or says how many names are wanted
 * @param names what stands without dashes, such as `['FILE']`; a name in brackets may be left out
 */
export function readArguments<const T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
  names: readonly string[] = [],
): Parsed<T> {
  const config = { args: [...args], options, allowPositionals: true, strict: true } satisfies ParseArgsConfig
  let parsed: Parsed<T>
  try {
    parsed = parseArgs(config) as Parsed<T>
  } catch (error) {
    throw usageError(error, Object.keys(options))
  }
  const needed = names.filter((name) => !name.startsWith('['))
  const missing = needed[parsed.positionals.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing`)
  const extra = parsed.positionals[names.length]
  if (extra !== undefined) throw new UsageError(`\`${extra}\` is one too many`)
  return parsed
}

/** For verbs without names and options of their own but `--json`. */
export function wantsJson(args: readonly string[]): boolean {
  return readArguments(args, { json: { type: 'boolean', default: false } }).values.json
}

/** A verb was called without a deed of its own, or with one that it does not know. */
export function unknownDeed(name: string | undefined, deeds: readonly string[]): UsageError {
  if (name === undefined) return new UsageError(`one of ${deeds.join(', ')} is wanted`)
  const guess = nearest(name, deeds)
  const way = guess === undefined ? `there are ${deeds.join(', ')}` : `did you mean ${guess}?`
  return new UsageError(`unknown \`${name}\`; ${way}`)
}

function usageError(error: unknown, known: readonly string[]): unknown {
  if (!(error instanceof TypeError) || !('code' in error)) return error
  const typed = /'(?:-\w, )?--?([^' =]+)/.exec(error.message)?.[1]
  if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && typed !== undefined) {
    const guess = nearest(typed, known)
    const list = known.length === 0 ? 'there are none here' : `known: ${known.map((name) => `--${name}`).join(', ')}`
    return new UsageError(`unknown option --${typed}; ${guess === undefined ? list : `did you mean --${guess}?`}`)
  }
  if (error.code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') return new UsageError(error.message.split('. ')[0])
  return error
}
