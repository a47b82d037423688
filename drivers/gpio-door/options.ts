import { z } from 'zod'
import type { LineInput, LineOutput } from '../../gateway/contract/io.ts'
import { duration } from '../../gateway/contract/units.ts'

/** More lines than any chip has; a name is at most what the kernel keeps of one (GPIO_MAX_NAME_SIZE, with its zero). */
const OFFSET_MAX = 1023
const NAME_CHARACTERS_MAX = 31

const offset = z.int().min(0).max(OFFSET_MAX)
const lineName = z.string().min(1).max(NAME_CHARACTERS_MAX).regex(/\D/, 'an offset is a number without quotes')
const line = z.union([offset, lineName]).describe('Offset on the chip, or name of the line.')
const activeLow = z.boolean().default(false).describe('True where 0 V means active.')
const bias = z.enum(['pull-up', 'pull-down', 'none']).default('none').describe('Resistor inside the chip.')

const output = z.union([offset, lineName, z.strictObject({ line, activeLow })])
const input = z.union([offset, lineName, z.strictObject({ line, activeLow, bias })])
type Wiring = z.infer<typeof output> | z.infer<typeof input>

const FUNCTIONS = ['lock', 'contact', 'exitButton', 'fire', 'tamper'] as const

/** A door wired to GPIO lines. */
export const gpioDoorOptions = z.strictObject({
  gpioDoor: z
    .strictObject({
      chip: z
        .string()
        .min(1)
        .describe('Label of the GPIO chip, such as pinctrl-bcm2711; `sim:PATH` is a simulated one.'),
      lock: output.describe('Output that releases the lock while it is active: offset or name of the line.'),
      contact: input
        .exactOptional()
        .describe('Input that is active while the door stands open. Without one nobody sees a forced or a held door.'),
      exitButton: input.exactOptional().describe('Input that is active while the exit button is pressed.'),
      fire: input.exactOptional().describe('Input that is active while the fire panel wants the door released.'),
      tamper: input.exactOptional().describe('Input that is active while a cover is open.'),
      unlockFor: duration
        .refine((ms) => ms >= 200 && ms <= 600_000, 'from 200ms to 10m')
        .prefault('5s')
        .describe('How long the lock is released for one passage.'),
      heldAfter: duration
        .refine((ms) => ms >= 1000 && ms <= 86_400_000, 'from 1s to 24h')
        .prefault('30s')
        .describe('A door that stands open for longer raises an alarm.'),
      relockOn: z
        .enum(['open', 'close', 'timeout'])
        .default('close')
        .describe('When the lock falls back early: as soon as the door opens, when it is shut again, or never.'),
      failMode: z
        .enum(['secure', 'safe'])
        .default('secure')
        .describe(
          'What the lock itself does without power, by its wiring: stay locked, or open. Recorded, not steered.',
        ),
      debounce: duration
        .refine((ms) => ms <= 1000, 'at most 1s')
        .prefault('20ms')
        .describe('A contact or a cover that changes for less than this did not change.'),
    })
    .superRefine((door, context) => {
      const used = new Map<string | number, string>()
      for (const name of FUNCTIONS) {
        const wired = door[name]
        if (wired === undefined) continue
        const { line } = plain(wired)
        const other = used.get(line)
        if (other !== undefined) {
          context.addIssue({
            code: 'custom',
            path: [name],
            message: `${name} and ${other} are both on line ${line}: give each its own`,
          })
        }
        used.set(line, name)
      }
    }),
})
export type GpioDoorOptions = z.infer<typeof gpioDoorOptions>

export const INPUTS = ['contact', 'exitButton', 'fire', 'tamper'] as const

/** The lines that a door asks its chip for, in one request. */
export function linesOf({ gpioDoor }: GpioDoorOptions): { inputs: LineInput[]; outputs: LineOutput[] } {
  const inputs = INPUTS.flatMap((name): LineInput[] => {
    const wired = gpioDoor[name]
    // Who presses the exit button, and the fire panel, never wait: their first edge counts.
    const debounceUs = name === 'contact' || name === 'tamper' ? gpioDoor.debounce * 1000 : 0
    return wired === undefined ? [] : [{ name, ...plain(wired), debounceUs }]
  })
  const { line, activeLow } = plain(gpioDoor.lock)
  return { inputs, outputs: [{ name: 'lock', line, activeLow, initial: 'inactive' }] }
}

function plain(wired: Wiring): Pick<LineInput, 'line' | 'activeLow' | 'bias'> {
  return typeof wired === 'object' ? { bias: 'none', ...wired } : { line: wired, activeLow: false, bias: 'none' }
}
