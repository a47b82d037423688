import { unknownDeed } from './arguments.ts'
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
  if (name === undefined || !Object.hasOwn(DEEDS, name)) throw unknownDeed(name, Object.keys(DEEDS))
  const { run: act } = await DEEDS[name]!()
  return act(args, terminal)
}
