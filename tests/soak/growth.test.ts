import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { growthFigures } from '../bench/log-growth.ts'

/** Fewer for a quick look: `LINLI_EVENTS=100000 npm run test:soak`. */
const EVENTS = Number(process.env.LINLI_EVENTS ?? 10_000_000)

test(`a log of ${EVENTS} events is as quick as a short one`, { timeout: 3_600_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'linli-soak-growth-'))
  try {
    const figures = await growthFigures(folder, EVENTS)
    for (const { name, value, unit, ratio, goal } of figures) {
      process.stdout.write(`soak ${name} ${value} ${unit}, ${ratio} of a short log's; ${goal}\n`)
    }
    expect(figures.map(({ name }) => name)).toEqual([
      'log.page_growth',
      'log.page_growth.start',
      'log.page_growth.middle',
      'log.page_growth.end',
      'log.page_growth.anywhere',
      'log.append_growth',
      'log.evict_growth',
      'log.start',
      'log.start.killed',
    ])
    expect(figures.filter(({ ok, goal }) => !ok || goal === null)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
