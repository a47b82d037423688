import { UsageError } from './arguments.ts'
import { askHub, localUrl } from './hub-access.ts'
import { settingsPath } from './settings-file.ts'
import type { Terminal } from './terminal.ts'

/** Every way of asking the hub about its lines has these. */
export const LINE_OPTIONS = {
  settings: { type: 'string' },
  url: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const
const ANSWER_MS = 10_000

/** @param path behind `/v1/connections` @throws Fault when nobody answers, or with anything but 200 */
export async function askLines(
  path: string,
  { settings, url }: { readonly settings?: string | undefined; readonly url?: string | undefined },
  terminal: Terminal,
  signal = AbortSignal.any([terminal.signal, AbortSignal.timeout(ANSWER_MS)]),
): Promise<Response> {
  const base = url ?? localUrl(settingsPath(settings, terminal))
  if (!URL.canParse(base)) throw new UsageError(`--url ${base}: an address such as https://hub-01.local:8443 is wanted`)
  return askHub(base, `/v1/connections${path}`, terminal, signal)
}

export async function* linesOf(answer: Response): AsyncGenerator<string> {
  let rest = ''
  for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    yield* parts
  }
}
