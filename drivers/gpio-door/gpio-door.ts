import type { Driver } from '../../gateway/contract/driver.ts'
import { isFault } from '../../gateway/contract/fault.ts'
import type { GpioLines } from '../../gateway/contract/io.ts'
import { DoorAtWork } from './door-at-work.ts'
import { type GpioDoorOptions, gpioDoorOptions, linesOf } from './options.ts'
import { doorVerbs } from './verbs.ts'

/** A door on GPIO lines: its connection is its device. */
export const gpioDoor: Driver<GpioDoorOptions> = {
  kind: 'gpioDoor',
  options: gpioDoorOptions,
  devices: (_options, connection) => [connection],
  verbs: doorVerbs,
  claims(options) {
    const { inputs, outputs } = linesOf(options)
    const { chip } = options.gpioDoor
    return [...inputs, ...outputs].map(({ name, line }) => ({
      what: `line ${line} of ${chip}`,
      path: ['gpioDoor', name],
    }))
  },

  async run(host) {
    const { connection, options, signal, io } = host
    let lines: GpioLines | undefined
    try {
      lines = await io.gpio.open(options.gpioDoor.chip, linesOf(options), signal)
      const door = new DoorAtWork(host, lines)
      await door.work()
    } catch (error) {
      if (signal.aborted) return
      // The line is all that this door has: while it is gone the door is what has the trouble.
      if (isFault(error)) host.mark(connection, error)
      throw error
    } finally {
      // Inactive at every end, whatever the reason.
      await lines?.release()
    }
  },
}
