import { z } from 'zod'
import type { Probed, View } from '../../../gateway/contract/driver.ts'
import type { Json } from '../../../gateway/contract/event.ts'
import { Fault } from '../../../gateway/contract/fault.ts'
import type { Io } from '../../../gateway/contract/io.ts'
import { loadProfiles } from '../load-profile.ts'
import type { Rs485Options } from '../options.ts'
import { isOnNetwork } from '../serial-server.ts'
import { PLAIN, termsOf } from '../terms.ts'
import { type ScanOptions, scan } from './scan.ts'
import { TRIALS, trialsAt } from './trials.ts'

const PATIENCE_MAX = 20

export interface SearchOptions extends Pick<ScanOptions, 'line' | 'signal'> {
  readonly settings: Rs485Options['rs485']
  readonly io: Pick<Io, 'profiles'>
  readonly patience: number
}

/** Search a line in every way that it allows, for every model that is known. */
export async function* search({ line, settings, io, patience, signal }: SearchOptions): AsyncIterable<Probed> {
  const profiles = await loadProfiles(await io.profiles.list(), io.profiles)
  const trials = isOnNetwork(settings.port) ? trialsAt(termsOf(settings, {}, PLAIN).serial) : TRIALS
  yield* scan({ line, profiles: [...profiles.values()], signal, patience, trials })
}

const parameters = z.strictObject({
  patience: z.coerce.number().min(1).max(PATIENCE_MAX).default(1),
})

/** The search of a line in use: its questions wait in the same queue, and take turns with those of the polling. */
export function scanView(line: ScanOptions['line'], settings: Rs485Options['rs485'], io: Pick<Io, 'profiles'>) {
  let searching = false
  return {
    parameters,
    look({ patience }, signal) {
      if (searching) {
        throw new Fault('reply', 'this line is being searched already', {
          code: 'busy',
          hint: 'wait for the other search',
        })
      }
      return once(search({ line, settings, io, patience, signal }))
    },
  } satisfies View<z.infer<typeof parameters>>

  async function* once(steps: AsyncIterable<Probed>): AsyncIterable<Json> {
    searching = true
    try {
      for await (const step of steps) yield { ...step } as unknown as Json
    } finally {
      searching = false
    }
  }
}
