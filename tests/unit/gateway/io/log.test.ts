import { expect, test } from 'vitest'
import { createLog } from '../../../../gateway/io/log.ts'

test('journald gets the level as its prefix, one line a call', () => {
  const lines: string[] = []
  const log = createLog('info', true, (line) => lines.push(line))
  log.debug('unseen')
  log.with({ connection: 'line-1' }).warn('two\nlines', { code: 'crc' })
  log.error('broken', { error: new Error('why') })
  expect(lines[0]).toBe('<4>two\\nlines {"connection":"line-1","code":"crc"}\n')
  expect(lines[1]).toMatch(/^<3>broken \{"error":"Error: why/)
  expect(lines).toHaveLength(2)
})

test('a person gets time and level', () => {
  const lines: string[] = []
  createLog('debug', false, (line) => lines.push(line)).info('started', { size: 5n })
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}started \{"size":"5"\}\n$/)
})
