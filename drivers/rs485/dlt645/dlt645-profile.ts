import { z } from 'zod'
import { bcdPointFields, bcdSampleFields, wrongBcdPoint } from '../bcd-point.ts'
import { profileFields, tellAll, wrongNames } from '../profile-parts.ts'

const identifier = z
  .string()
  .regex(/^([0-9a-f]{8}|[0-9a-f]{4})$/i, 'eight hexadecimal digits are wanted (four in the edition of 1997)')
  .toLowerCase()

const dlt645Point = z
  .strictObject({
    ...bcdPointFields,
    identifier: identifier.describe('Data identifier as it is printed, DI3 first: 02010100; in 1997 two bytes: b611.'),
  })
  .superRefine((point, context) => {
    const mistake = wrongBcdPoint(point)
    if (mistake !== undefined) context.addIssue({ code: 'custom', ...mistake })
  })
export type Dlt645Point = z.infer<typeof dlt645Point>

const sample = z.strictObject({
  identifier: identifier.describe('What was asked for.'),
  ...bcdSampleFields,
})

/** An electricity meter on DL/T 645: data only. */
export const dlt645Profile = z
  .strictObject({
    ...profileFields(dlt645Point, sample, { baud: 2400, parity: 'even' }),
    protocol: z.literal('dlt645').describe('What it speaks.'),
    edition: z.enum(['2007', '1997']).default('2007').describe('Which edition of the standard it follows.'),
  })
  .superRefine((profile, context) => {
    const digits = profile.edition === '2007' ? 8 : 4
    const wrong = (places: readonly { readonly identifier: string }[], list: string) =>
      places.flatMap(({ identifier: text }, at) =>
        text.length === digits
          ? []
          : [{ path: [list, at, 'identifier'], message: `the edition of ${profile.edition} has ${digits} digits` }],
      )
    tellAll([...wrong(profile.points, 'points'), ...wrong(profile.samples, 'samples'), ...wrongNames(profile)], context)
  })
export type Dlt645Profile = z.infer<typeof dlt645Profile>
