import { Fault } from '../../gateway/contract/fault.ts'
import type { Seen } from './codec/question.ts'
import type { Terms } from './terms.ts'

/* What a line tells of a device that did not answer, and of itself. */

export function unanswered(seen: Seen, { timeoutMs }: Terms): Fault {
  const within = `within ${timeoutMs} ms`
  switch (seen) {
    case 'nothing':
      return new Fault('device', `no answer ${within}`, {
        code: 'timeout',
        hint: 'is it powered, are A and B the right way round, is it set to this address, speed and parity?',
      })
    case 'damaged':
      return new Fault('device', `answers arrive damaged: the check is wrong`, {
        code: 'crc',
        hint: 'look at the cable, its shield, the 120 ohm at both ends, and for a second device with this address',
      })
    case 'another':
      return new Fault('device', `no answer ${within}, but another device spoke`, {
        code: 'foreign',
        hint: 'is there a second master on this line, or a device with a wrong address?',
      })
    case 'noise':
      return new Fault('device', `no answer ${within}, but bytes that are no frame`, {
        code: 'noise',
        hint: 'are speed, parity and stop bits those of the device?',
      })
    default:
      return seen satisfies never
  }
}

export function jammed(bytes: number, forMs: number): Fault {
  return new Fault(
    'connection',
    `the line is never quiet: ${bytes} bytes in ${Math.round(forMs)} ms that nobody asked for`,
    {
      code: 'jammed',
      hint: 'a device talks without being asked, a second master is on the line, or A and B lie open',
    },
  )
}

export function fixedSpeed(baud: number): Fault {
  return new Fault('setup', `this line can't be set to ${baud} baud`, {
    code: 'speed',
    hint: 'a serial server has one speed for all of its devices: `linli check` says which of them has another',
  })
}
