import { Fault } from '../../contract/fault.ts'
import type { GpioIo } from '../../contract/io.ts'
import { openSimulated } from './simulated.ts'

const SIMULATED = 'sim:'

/** GPIO by the name of the chip: `sim:PATH` is a simulated one behind a local socket. */
export function createGpio(): GpioIo {
  return {
    async open(chip, lines, signal) {
      if (chip.startsWith(SIMULATED)) return openSimulated(chip.slice(SIMULATED.length), lines, signal)
      throw new Fault('setup', `this version drives simulated GPIO chips only, not ${chip}`, {
        code: 'gpio',
        hint: 'give `chip: sim:PATH`; the chips of the kernel come with the next part',
      })
    },
  }
}
