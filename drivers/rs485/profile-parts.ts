import { z } from 'zod'

/* What the profiles of all protocols have in common. */

const POINTS_MAX = 1000

export const pointName = z
  .string()
  .max(63)
  .regex(/^[a-z][a-z0-9_]*$/, 'a point is lower-case letters, digits and underscores, such as energy_import')

export const pointFields = {
  point: pointName.describe('Name of the point, from the vocabulary, whatever the maker calls it.'),
  unit: z.string().max(20).default('').describe('Unit of the value as it is given on; empty for none.'),
  kind: z.enum(['counter', 'gauge']).default('gauge').describe('A counter only rises; a gauge goes up and down.'),
}

export const sampleFields = {
  expect: z
    .record(pointName, z.union([z.number(), z.boolean(), z.string(), z.null()]))
    .refine((expect) => Object.keys(expect).length > 0, 'at least one point is wanted')
    .describe('What the points then are.'),
  note: z.string().max(500).exactOptional().describe('Where the sample comes from.'),
}

/** How the interface of a model is set when it leaves the works. @param baud @param parity of its protocol */
function serialSettings(baud: number, parity: 'none' | 'even' | 'odd') {
  return z
    .strictObject({
      baud: z.int().min(300).max(4_000_000).default(baud).describe('Speed in bits per second.'),
      dataBits: z
        .union([z.literal(7), z.literal(8)])
        .default(8)
        .describe('Data bits of a character.'),
      parity: z.enum(['none', 'even', 'odd']).default(parity).describe('Parity bit of a character.'),
      stopBits: z
        .union([z.literal(1), z.literal(2)])
        .default(1)
        .describe('Stop bits of a character.'),
    })
    .prefault({})
    .describe('How its interface is set when it leaves the works.')
}

/** @param serial speed and parity that this protocol mostly has */
export function profileFields<Point extends z.ZodType, Sample extends z.ZodType>(
  point: Point,
  sample: Sample,
  serial: { readonly baud: number; readonly parity: 'none' | 'even' | 'odd' },
) {
  return {
    $schema: z.string().exactOptional(),
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9.-]*$/, 'maker/model is wanted, such as eastron/sdm630')
      .describe('maker/model, as the file is called.'),
    maker: z.string().min(1).max(100).describe('Who makes it.'),
    model: z.string().min(1).max(100).describe('What it is called.'),
    source: z.string().min(10).describe('Where it stands: document, edition, page.'),
    notes: z.string().max(2000).exactOptional().describe('What an installer has to know.'),
    serial: serialSettings(serial.baud, serial.parity),
    points: z.array(point).min(1).max(POINTS_MAX).describe('What it measures.'),
    samples: z.array(sample).min(1).describe('Test vectors: at least one.'),
  }
}

export interface Mistake {
  readonly path: (string | number)[]
  readonly message: string
}

interface Named {
  readonly points: readonly { readonly point: string }[]
  readonly samples: readonly { readonly expect: Readonly<Record<string, unknown>> }[]
}

/** Points that are there twice, and samples that expect a point which is not there. */
export function wrongNames({ points, samples }: Named): Mistake[] {
  const names = points.map(({ point }) => point)
  const twice = names.flatMap((name, at) =>
    names.indexOf(name) === at ? [] : [{ path: ['points', at, 'point'], message: `${name} is there twice` }],
  )
  const unknown = samples.flatMap(({ expect }, at) =>
    Object.keys(expect)
      .filter((name) => !names.includes(name))
      .map((name) => ({ path: ['samples', at, 'expect', name], message: `no point is called ${name}` })),
  )
  return [...twice, ...unknown]
}

/** Tell each mistake where it is. */
export function tellAll(mistakes: readonly Mistake[], context: z.RefinementCtx): void {
  for (const { path, message } of mistakes) context.addIssue({ code: 'custom', path, message })
}
