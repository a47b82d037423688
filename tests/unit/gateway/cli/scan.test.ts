import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { linli, temporaryFolder } from './told.ts'

const SETTINGS = `
hub: { id: hub-01 }
storage: { path: ./hub.db }
connections:
  - id: line-1
    rs485: { port: /dev/does-not-exist }
    devices: []
  - id: gate
    gpioDoor: { chip: /dev/gpiochip0, door: 17 }
`

function site(): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'hub.yaml'), SETTINGS)
  return folder
}

test.each([
  [[], 'the id of a line in the settings is wanted, or --port PATH'],
  [['line-1', '--port', '/dev/ttyUSB0'], 'the id of a line in the settings is wanted, or --port PATH'],
  [['line-1', '--patience', '0'], '--patience 0: 1 to 20 is possible'],
  [['line-1', '--patience', 'much'], '--patience much: 1 to 20 is possible'],
])('called as `linli scan %s` it says what is wrong', async (args, words) => {
  const { code, error } = await linli(['scan', ...args], { folder: site() })
  expect(code).toBe(2)
  expect(error).toContain(words)
})

test('a line that is not in the settings is told, with the nearest', async () => {
  const { code, error } = await linli(['scan', 'line-2'], { folder: site() })
  expect([code, error]).toEqual([2, expect.stringContaining('no line `line-2` that can be searched')])
  expect(error).toContain('did you mean line-1?')
})

test('a door is no line', async () => {
  const { code, error } = await linli(['scan', 'gate'], { folder: site() })
  expect([code, error]).toEqual([2, expect.stringContaining('there are line-1')])
})

test('a port that is not there is told as such', async () => {
  const { code, error } = await linli(['scan', '--port', '/dev/does-not-exist'], { folder: site() })
  expect(code).toBe(1)
  expect(error).toContain('/dev/does-not-exist')
})
