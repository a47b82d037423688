import type { Disk } from './disk-watch.ts'
import { asRefusal } from './meaning.ts'
import { fromRefusal } from './refusal.ts'
import { type Calls, type StorePort, StoreService } from './service.ts'

/**
 * The writer without a thread, for simulations: same calls, same errors, nothing that depends on the scheduler.
 * @param delay resolves when an answer may be given, such as after a virtual fsync
 * @param disk under the file at a path; the real one when left out
 */
export function directPort(
  delay: (name: keyof Calls) => Promise<void> = () => Promise.resolve(),
  disk?: (path: string) => Disk,
): StorePort {
  const service = new StoreService(disk)
  let before: Promise<unknown> = Promise.resolve()
  return {
    call<Name extends keyof Calls>(name: Name, argument: Calls[Name][0]): Promise<Calls[Name][1]> {
      const answer = before.then(async () => {
        await delay(name)
        try {
          return service.answer(name, argument)
        } catch (error) {
          throw fromRefusal(asRefusal(error))
        }
      })
      before = answer.catch(() => undefined)
      return answer
    },
  }
}
