import { expect, test } from 'vitest'
import { logOptionsOf } from '../../../../gateway/settings/log-options.ts'
import { settingsSchema } from '../../../../gateway/settings/schema.ts'

const parsed = (more: object) => settingsSchema.parse({ hub: { id: 'hub-01' }, ...more })

test('the log is told what the settings say, in its own words', () => {
  const storage = { keep: { alarm: '2y' }, maxSize: '64MB', gather: '2s', gatherEvents: 50, gatherSize: '64KiB' }
  expect(logOptionsOf(parsed({ storage }) as never)).toEqual({
    hub: 'hub-01',
    gatherMs: 2000,
    commitEvents: 50,
    commitChars: 65_536,
    retention: {
      keepMs: {
        telemetry: 30 * 86_400_000,
        status: 90 * 86_400_000,
        alarm: 730 * 86_400_000,
        audit: 1095 * 86_400_000,
      },
      maxBytes: 64_000_000,
      required: [],
    },
  })
})

test('an upstream must have what it may see, and who pulls need not, unless the settings say otherwise', () => {
  const settings = parsed({
    upstream: [
      { id: 'city', mqtt: { url: 'mqtt://127.0.0.1' }, rights: { classes: ['alarm'] } },
      { id: 'lab', mqtt: { url: 'mqtt://127.0.0.1' }, required: false },
    ],
    consumers: [{ id: 'property', rights: { classes: ['audit'] }, required: true }, { id: 'page' }],
  })
  expect(logOptionsOf(settings as never).retention.required).toEqual([
    { consumer: 'up:city', classes: ['alarm'] },
    { consumer: 'pull:property', classes: ['audit'] },
  ])
})
