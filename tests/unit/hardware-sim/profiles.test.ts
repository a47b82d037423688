import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { ModbusMeter } from '../../../hardware-sim/modbus-meter.ts'
import { PROFILE_FOLDER, parseModbusProfile } from '../../../hardware-sim/profile.ts'
import { encodePoint } from '../../../hardware-sim/registers.ts'

interface PlainProfile {
  readonly id: string
  readonly protocol: string
}

/** Every Modbus profile of the folder, so that a new file is simulated at once. */
const profiles = readdirSync(PROFILE_FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.includes('/') && path.endsWith('.json'))
  .map((path) => JSON.parse(readFileSync(join(PROFILE_FOLDER, path), 'utf8')) as PlainProfile)
  .filter(({ protocol }) => protocol === 'modbus')

test.each(profiles.map((profile) => [profile.id, profile] as const))(
  '%s answers for each of its points',
  (_id, plain) => {
    const profile = parseModbusProfile(plain)
    const meter = new ModbusMeter({ id: 'm', unit: 1, profile, clock: new VirtualClock(), strictAddresses: true })
    const READ = { coil: 1, discrete: 2, holding: 3, input: 4 } as const
    for (const point of profile.points) {
      const words = encodePoint(point, 1).length
      const answer = meter.pdu(Uint8Array.of(READ[point.table], point.address >> 8, point.address & 255, 0, words))
      expect([point.point, answer[0]]).toEqual([point.point, READ[point.table]])
      // Not-a-number begins with these in a float; no simulated point may show it.
      if (point.as === 'float32')
        expect([point.point, answer[2]! & 0x7f, answer[3]]).not.toEqual([point.point, 0x7f, 0xc0])
    }
  },
)
