import { z } from 'zod'
import { bcdPointFields, bcdSampleFields, wrongBcdPoint } from '../bcd-point.ts'
import { profileFields, tellAll, wrongNames } from '../profile-parts.ts'

/** CJ/T 188: the data of an answer that is read, less its head of three bytes. */
const ANSWER_BYTES_MAX = 0x64 - 3

const identifier = z
  .string()
  .regex(/^[0-9a-f]{4}$/i, 'four hexadecimal digits are wanted, such as 901f')
  .toLowerCase()

const cjt188Point = z
  .strictObject({
    ...bcdPointFields,
    identifier: identifier.default('901f').describe('Data identifier as the standard of 2004 prints it.'),
    unitAt: z
      .int()
      .min(0)
      .max(ANSWER_BYTES_MAX)
      .exactOptional()
      .describe('Where the byte of its unit stands in the data; the value is converted from that.'),
  })
  .superRefine((point, context) => {
    const mistake = wrongBcdPoint(point)
    if (mistake !== undefined) context.addIssue({ code: 'custom', ...mistake })
    if (point.unitAt !== undefined && point.as !== 'bcd') {
      context.addIssue({ code: 'custom', path: ['unitAt'], message: 'only a number has a unit' })
    }
  })
export type Cjt188Point = z.infer<typeof cjt188Point>

const sample = z.strictObject({
  identifier: identifier.default('901f').describe('What was asked for.'),
  ...bcdSampleFields,
})

/** A water, heat or gas meter on CJ/T 188: data only. */
export const cjt188Profile = z
  .strictObject({
    ...profileFields(cjt188Point, sample, { baud: 2400, parity: 'even' }),
    protocol: z.literal('cjt188').describe('What it speaks.'),
    type: z
      .string()
      .regex(/^[0-9a-f]{2}$/i, 'two hexadecimal digits are wanted')
      .toLowerCase()
      .describe('Type of the meter: 10 cold water, 11 hot, 12 drinking, 13 reclaimed, 20 heat, 21 cooling, 30 gas.'),
    identifierOrder: z
      .enum(['high-first', 'low-first'])
      .default('high-first')
      .describe('Which byte of an identifier goes first: as in 2004 (90 1F), or turned round as in 2018 (1F 90).'),
    answers: z
      .record(identifier, z.int().min(1).max(ANSWER_BYTES_MAX))
      .describe('How many bytes come behind the head of the data; by this the layout is known.'),
  })
  .superRefine((profile, context) => {
    const unknown = profile.points.flatMap(({ identifier: text }, at) =>
      profile.answers[text] === undefined
        ? [{ path: ['points', at, 'identifier'], message: `\`answers\` does not say how long ${text} is` }]
        : [],
    )
    const beyond = profile.points.flatMap(({ identifier: text, at: from, bytes }, at) =>
      from + bytes > (profile.answers[text] ?? ANSWER_BYTES_MAX)
        ? [{ path: ['points', at, 'at'], message: `the answer to ${text} ends before it` }]
        : [],
    )
    tellAll([...unknown, ...beyond, ...wrongNames(profile)], context)
  })
export type Cjt188Profile = z.infer<typeof cjt188Profile>
