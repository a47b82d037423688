import { Fault } from '../contract/fault.ts'

export interface Ending {
  readonly signal: AbortSignal
  end(): void
  forget(): void
}

/** One signal for all the ways in which a hub is told to end. */
export function endOn(asked: AbortSignal | undefined): Ending {
  const controller = new AbortController()
  const end = (): void => controller.abort(new Fault('connection', 'the hub ends'))
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  asked?.addEventListener('abort', end, { once: true })
  if (asked?.aborted === true) end()
  return {
    signal: controller.signal,
    end,
    forget() {
      process.off('SIGTERM', end)
      process.off('SIGINT', end)
      asked?.removeEventListener('abort', end)
    },
  }
}
