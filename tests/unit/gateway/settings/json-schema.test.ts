import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Driver } from '../../../../gateway/contract/driver.ts'
import { duration, name, secret, size } from '../../../../gateway/contract/units.ts'
import { settingsJsonSchema } from '../../../../gateway/settings/json-schema.ts'
import { optionTable, sectionTable, withOptions } from '../../../../gateway/settings/option-table.ts'

const bell = z.strictObject({
  bell: z.strictObject({ loud: z.boolean().default(false).describe('Whether all hear it.') }),
  devices: z.array(z.strictObject({ id: name })).describe('Its buttons.'),
})
const drivers = { bell: { kind: 'bell', options: bell } } as unknown as Record<string, Driver>

test('the schema of the file knows each kind of connection, with the id that its driver does not know', () => {
  const schema = settingsJsonSchema(drivers)
  expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#')
  expect(schema.required).toEqual(['hub'])
  const [kind] = schema.properties?.connections?.items?.oneOf ?? []
  expect(Object.keys(kind?.properties ?? {})).toEqual(['id', 'bell', 'devices'])
  expect(kind?.required).toEqual(['id', 'bell', 'devices'])
  expect(kind?.additionalProperties).toBe(false)
})

test('a table has a row for every option, with what it may be and what it is without', () => {
  const options = z.strictObject({
    door: z
      .strictObject({
        openFor: duration.prefault('5s').describe('How long | it is open.'),
        room: size.exactOptional(),
        code: secret.describe('Its code.'),
        mode: z.enum(['in', 'out']).default('in'),
        line: z.union([z.int().min(0).max(9), z.strictObject({ at: z.int().describe('Offset.') })]),
        names: z.array(z.string()).default(['*']),
        ratio: z.number().exactOptional(),
      })
      .describe('门'),
    devices: z.array(z.strictObject({ id: name })),
  })
  expect(optionTable(options).replaceAll(/ +\|/g, ' |').replaceAll(/-+/g, '-').split('\n')).toEqual([
    '| option | value | default | what it does |',
    '| - | - | - | - |',
    '| `door` | map | needed | 门 |',
    '| `door.openFor` | duration | `5s` | How long \\| it is open. |',
    '| `door.room` | size | | |',
    '| `door.code` | `{ secret: NAME }` | needed | Its code. |',
    '| `door.mode` | `in`, `out` | `in` | |',
    '| `door.line` | whole number (0 to 9) or map | needed | |',
    '| `door.line.at` | whole number | needed | Offset. |',
    '| `door.names` | list of: text | `["*"]` | |',
    '| `door.ratio` | number | | |',
    '| `devices` | list | needed | |',
    '| `devices[].id` | name | needed | |',
  ])
})

test('the columns of a table are of one width on the screen, where 门 is as wide as two letters', () => {
  const lines = optionTable(z.strictObject({ a: z.string().describe('门'), b: z.string().describe('door') })).split(
    '\n',
  )
  expect(lines.slice(2)).toEqual([
    '| `a`    | text  | needed  | 门           |',
    '| `b`    | text  | needed  | door         |',
  ])
})

test('a section is the rows of one key', () => {
  expect(sectionTable(bell, 'devices').split('\n')).toHaveLength(4)
  expect(() => sectionTable(bell, 'bells')).toThrow('there is no section bells')
})

test('a README keeps what stands around its marks, and nothing of what stood between them', () => {
  const readme = 'before\n<!-- options -->\nold\n<!-- /options -->\nafter\n'
  expect(withOptions(readme, 'new')).toBe('before\n<!-- options -->\nnew\n<!-- /options -->\nafter\n')
  expect(withOptions('no marks', 'new')).toBeUndefined()
  expect(withOptions('<!-- /options --><!-- options -->', 'new')).toBeUndefined()
})
