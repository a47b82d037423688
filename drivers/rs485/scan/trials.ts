import type { SerialSettings } from '../../../gateway/contract/io.ts'
import type { Profile } from '../profile.ts'
import { characterMs } from '../timing.ts'

/** One way in which devices may be listening: what is asked, and how the line is set meanwhile. */
export interface Trial {
  readonly protocol: Profile['protocol']
  readonly serial: SerialSettings
  /** Of Modbus: the units that are asked, one by one. */
  readonly units: readonly [from: number, to: number]
}

/** As they leave the works most Modbus devices have one of these units. */
const USUAL_UNITS = [1, 16] as const
const OTHER_UNITS = [17, 247] as const
const NO_UNITS = [0, 0] as const

const framed = (baud: number, parity: SerialSettings['parity']): SerialSettings => ({
  baud,
  dataBits: 8,
  parity,
  stopBits: 1,
})

/** How Modbus devices are set, the commonest first (MODBUS over Serial Line V1.02, 2.5.1: 9600 and 19200, even). */
const MODBUS = [
  framed(9600, 'none'),
  framed(9600, 'even'),
  framed(19_200, 'even'),
  framed(19_200, 'none'),
  framed(4800, 'none'),
  framed(2400, 'none'),
  framed(2400, 'even'),
  framed(115_200, 'none'),
  framed(38_400, 'none'),
]
/** DL/T 645-2007, 5.1: 2400 as it leaves the works; 9600 and 4800 are seen. CJ/T 188-2004 says 2400 too. */
const DLT645 = [framed(2400, 'even'), framed(9600, 'even'), framed(4800, 'even'), framed(1200, 'even')]
const CJT188 = [framed(2400, 'even'), framed(9600, 'even'), framed(1200, 'even')]

/** What is tried, and in which order: first what costs little and finds much, every unit at every speed at the end. */
export const TRIALS: readonly Trial[] = [
  ...DLT645.slice(0, 1).map((serial) => ({ protocol: 'dlt645', serial, units: NO_UNITS }) as const),
  ...CJT188.slice(0, 1).map((serial) => ({ protocol: 'cjt188', serial, units: NO_UNITS }) as const),
  ...MODBUS.map((serial) => ({ protocol: 'modbus', serial, units: USUAL_UNITS }) as const),
  ...DLT645.slice(1).map((serial) => ({ protocol: 'dlt645', serial, units: NO_UNITS }) as const),
  ...CJT188.slice(1).map((serial) => ({ protocol: 'cjt188', serial, units: NO_UNITS }) as const),
  ...MODBUS.map((serial) => ({ protocol: 'modbus', serial, units: OTHER_UNITS }) as const),
]

/** All that can be tried where the speed can't be changed. */
export function trialsAt(serial: SerialSettings): readonly Trial[] {
  return [
    { protocol: 'dlt645', serial, units: NO_UNITS },
    { protocol: 'cjt188', serial, units: NO_UNITS },
    { protocol: 'modbus', serial, units: USUAL_UNITS },
    { protocol: 'modbus', serial, units: OTHER_UNITS },
  ]
}

/** From the end of a request to the begin of an answer: nobody who is there thinks for longer. */
const MODBUS_ANSWER_MS = 200
/** DL/T 645-2007, 5.3.3: 500 ms at the most. */
const SUMMED_ANSWER_MS = 600

/** @param patience how many times as long an answer is waited for */
export function answerMs(protocol: Profile['protocol'], patience: number): number {
  return (protocol === 'modbus' ? MODBUS_ANSWER_MS : SUMMED_ANSWER_MS) * patience
}

/** How many questions a trial needs where nobody answers. */
export function questionsOf({ protocol, units: [from, to] }: Trial): number {
  return protocol === 'modbus' ? to - from + 1 : 1
}

/* Characters of a question, and of the answer that is waited for. */
const CHARACTERS = { modbus: 8 + 7, dlt645: 16 + 22, cjt188: 20 + 20 } as const

/** How long it takes where nobody answers. */
export function trialMs(trial: Trial, patience: number): number {
  const { protocol, serial } = trial
  return questionsOf(trial) * (CHARACTERS[protocol] * characterMs(serial) + answerMs(protocol, patience))
}
