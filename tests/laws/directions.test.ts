import { expect, test } from 'vitest'
import { wrongDirections } from './directions.ts'
import { allSources, source, told } from './sources.ts'

const breaches = (path: string, text: string) => told(wrongDirections([source(path, text)]))

test('files import only along the arrows between the layers', () => {
  expect(told(wrongDirections(allSources()))).toEqual([])
})

test.each([
  ['gateway/contract/event.ts', '../store/store.ts'],
  ['gateway/core/policy.ts', '../../drivers/rs485/rs485.ts'],
  ['gateway/core/policy.ts', '../io/clock.ts'],
  ['gateway/store/open.ts', '../core/health.ts'],
  ['gateway/api/server.ts', '../upstream/pump.ts'],
  ['gateway/settings/check.ts', '../api/server.ts'],
  ['gateway/settings/check.ts', '../../drivers/index.ts'],
  ['drivers/rs485/line.ts', '../onvif/soap.ts'],
  ['drivers/rs485/line.ts', '../../gateway/core/policy.ts'],
  ['drivers/rs485/line.ts', '../index.ts'],
  ['drivers/rs485/codec/rtu.ts', '../line.ts'],
  ['hardware-sim/meter.ts', '../drivers/rs485/codec/rtu.ts'],
  ['gateway/main.ts', '../hardware-sim/world.ts'],
  ['gateway/io/clock.ts', '../../tests/bench/figure.ts'],
])('%s may not import %s', (path, target) => {
  for (const text of [
    `import { a } from '${target}'`,
    `import type { A } from '${target}'`,
    `export { a } from '${target}'`,
    `export * from '${target}'`,
    `const a = await import('${target}')`,
    `type A = import('${target}').A`,
    `new Worker(new URL('${target}', import.meta.url))`,
  ]) {
    expect(breaches(path, text), text).toEqual([
      expect.stringMatching(/ may not import .*: (say what you need|a codec)/),
    ])
  }
})

test.each([
  ['gateway/contract/event.ts', './clock.ts'],
  ['gateway/core/policy.ts', '../store/store.ts'],
  ['gateway/settings/schema.ts', '../api/options.ts'],
  ['drivers/rs485/line.ts', './codec/rtu.ts'],
  ['drivers/rs485/line.ts', '../point-names.ts'],
  ['drivers/index.ts', './rs485/rs485.ts'],
  ['gateway/main.ts', '../drivers/index.ts'],
  ['hardware-sim/meter.ts', '../config/profiles/eastron/sdm630.json'],
  ['gateway/contract/units.ts', 'zod'],
])('%s may import %s', (path, target) => {
  expect(breaches(path, `import { a } from '${target}'`)).toEqual([])
})

test('a new folder has to say first what it may import', () => {
  expect(breaches('gateway/magic/wand.ts', '')).toEqual([
    'gateway/magic/wand.ts:1 this place has no row in tests/laws/directions.ts: say there what it may import',
  ])
})
