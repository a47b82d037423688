import { readArguments, unknownDeed } from './arguments.ts'
import { askLines, LINE_OPTIONS } from './line-access.ts'
import type { Terminal } from './terminal.ts'

interface Deed {
  run(args: readonly string[], terminal: Terminal): Promise<number>
}

const DEEDS: Readonly<Record<string, () => Promise<Deed>>> = {
  plan: () => import('./lines-plan.ts'),
  trace: () => import('./lines-trace.ts'),
}

/** A connection as `GET /v1/connections` has it, as far as it is shown. */
interface Connection {
  readonly id: string
  readonly kind: string
  readonly state: string
  readonly restarts: number
  readonly trouble?: { readonly message: string }
  readonly devices: readonly { readonly id: string; readonly ok: boolean }[]
  readonly counters: Readonly<Record<string, number>>
  readonly views: readonly string[]
}

/** `linli lines`, and `linli lines DEED ID`. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = '', ...rest] = args
  if (Object.hasOwn(DEEDS, name)) {
    const { run: act } = await DEEDS[name]!()
    return act(rest, terminal)
  }
  if (name !== '' && !name.startsWith('-')) throw unknownDeed(name, Object.keys(DEEDS))
  const { values } = readArguments(args, LINE_OPTIONS)
  const answer = await askLines('', values, terminal)
  const { connections } = JSON.parse(await answer.text()) as { connections: Connection[] }
  const lines = connections.filter(({ views }) => views.includes('plan') || views.includes('trace'))
  if (values.json) terminal.out(`${JSON.stringify({ lines }, undefined, 2)}\n`)
  else terminal.out(lines.length === 0 ? 'there are no lines that run\n' : lines.map(lineText).join(''))
  return 0
}

/** `line-1  rs485  running, 2 of 12 devices have trouble`, and what was counted. */
function lineText({ id, kind, state, restarts, trouble, devices, counters }: Connection): string {
  const sick = devices.filter(({ ok }) => !ok).map((device) => device.id)
  const words = [
    `${state}${trouble === undefined ? '' : `: ${trouble.message}`}`,
    restarts === 0 ? '' : `started again ${restarts} times`,
    sick.length === 0 ? '' : `${sick.length} of ${devices.length} devices have trouble (${sick.join(', ')})`,
  ].filter((each) => each !== '')
  const counted = Object.entries(counters).map(([name, value]) => `${wordsOf(name)} ${Math.round(value)}`)
  return `${id.padEnd(14)}  ${kind.padEnd(9)}  ${words.join('; ')}\n${' '.repeat(16)}${counted.join(', ')}\n`
}

/** `lateAnswers` as `late answers`. */
function wordsOf(name: string): string {
  return name
    .replace(/Ms$/, ' in ms')
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replace('crc', 'CRC')
}
