import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { drivers } from '../../../drivers/index.ts'
import { checkSettings, problemText } from '../../../gateway/settings/check.ts'
import { defaultScenario } from '../../../hardware-sim/scenario.ts'
import { writeSettings } from '../../../hardware-sim/settings-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'linli-settings-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a hub finds nothing wrong in the settings that the simulator writes', () => {
  const path = writeSettings(
    folder,
    defaultScenario(),
    {
      lines: ['line-1', 'line-2'].map((id) => ({ id, path: `/tmp/${id}` })),
      modbusTcp: [{ id: 'plant', host: '127.0.0.1', port: 1502 }],
      door: { id: 'gate', chip: 'sim:/tmp/door' },
      camera: { id: 'cam-lobby', host: '127.0.0.1', port: 8080 },
      broker: { id: 'city', url: 'mqtt://127.0.0.1:1883' },
    },
    { username: 'linli', password: 'p' },
  )
  const { problems, settings } = checkSettings(readFileSync(path, 'utf8'), path, drivers)
  expect(problems.map(problemText)).toEqual([])
  expect(settings?.connections.map(({ id }) => id)).toEqual(['line-1', 'line-2', 'plant', 'gate', 'cam-lobby'])
})
