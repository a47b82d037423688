import { expect, test } from 'vitest'
import { Fault } from '../../../../gateway/contract/fault.ts'
import type { DiskState } from '../../../../gateway/store/disk-watch.ts'
import { Upkeep } from '../../../../gateway/store/upkeep.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'

test('a disk that was too full to take the alarm is told of as soon as something can be written', async () => {
  const clock = new VirtualClock()
  const disk = { state: 'well' as DiskState, takes: true }
  const told: string[] = []
  const upkeep = new Upkeep(clock, {
    tend: async () => ({
      more: false,
      unconfirmed: {},
      appended: 0,
      auditPart: 0,
      news: [],
      firstSeq: 1,
      disk: { state: disk.state, freeBytes: 0, ballastBytes: 0, writtenBytes: 0, writtenADay: 0 },
    }),
    append: async ({ body }) => {
      if (!disk.takes) throw new Fault('connection', 'the disk is full', { code: 'store' })
      const { state, before } = JSON.parse(body)
      told.push(`${before} to ${state}`)
    },
  })
  await clock.advance(60_000)
  Object.assign(disk, { state: 'full', takes: false })
  await clock.advance(120_000)
  expect(told).toEqual([])
  Object.assign(disk, { state: 'well', takes: true })
  await clock.advance(120_000)
  expect(told).toEqual(['full to well'])
  Object.assign(disk, { state: 'full', takes: false })
  await clock.advance(60_000)
  disk.takes = true
  await clock.advance(120_000)
  expect(told).toEqual(['full to well', 'well to full'])
  upkeep.stop()
})
