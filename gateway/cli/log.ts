import { nearest } from '../contract/nearest.ts'
import { UsageError } from './arguments.ts'
import type { Terminal } from './terminal.ts'

interface Deed {
  run(args: readonly string[], terminal: Terminal): Promise<number>
}

const DEEDS: Readonly<Record<string, () => Promise<Deed>>> = {
  export: () => import('./log-export.ts'),
  forecast: () => import('./log-forecast.ts'),
  salvage: () => import('./log-salvage.ts'),
  verify: () => import('./log-verify.ts'),
}

/** `linli log DEED ...` */
export async function run([name, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  const names = Object.keys(DEEDS)
  if (name === undefined) throw new UsageError(`one of ${names.join(', ')} is wanted`)
  if (!Object.hasOwn(DEEDS, name)) {
    const guess = nearest(name, names)
    throw new UsageError(
      `unknown \`${name}\`; ${guess === undefined ? `there are ${names.join(', ')}` : `did you mean ${guess}?`}`,
    )
  }
  const { run: act } = await DEEDS[name]!()
  return act(args, terminal)
}
