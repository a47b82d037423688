import { expect, test } from 'vitest'
import { drivers } from '../../drivers/index.ts'
import { driverFolders } from '../../gateway/cli/generated-files.ts'
import { incompleteDrivers, unlistedDrivers } from './drivers.ts'
import { readRepository, textFiles, told } from './sources.ts'

test('a driver has its README, its simulated counterpart and its golden frames', () => {
  expect(told(incompleteDrivers(textFiles()))).toEqual([])
})

test('the table of drivers names every driver by its own kind, and every folder of drivers is in it', () => {
  expect([...driverFolders(readRepository('drivers/index.ts')).keys()]).toEqual(Object.keys(drivers))
  expect(Object.entries(drivers).filter(([kind, driver]) => driver.kind !== kind)).toEqual([])
  expect(told(unlistedDrivers(textFiles()))).toEqual([])
})

const INDEX = {
  path: 'drivers/index.ts',
  text: "import { bell } from './bells/bell.ts'\nconst drivers = {\n  bell,\n}\n",
}

test('what a driver lacks is told, each with what to do', () => {
  const text = 'const settings = { horn: {} }'
  expect(told(incompleteDrivers([INDEX, { path: 'hardware-sim/settings-file.ts', text }]))).toEqual([
    "drivers/index.ts:1 bell has no drivers/bells/README.md: say what it speaks, what it can't, and how it is wired",
    'drivers/index.ts:1 nothing in hardware-sim can be connected as `bell:`: simulate the other side of it (hardware-sim/settings-file.ts)',
    'drivers/index.ts:1 bell has no tests/golden/bells.test.ts: bytes as they stand in the specification, with their source',
  ])
})

test('a whole driver lacks nothing', () => {
  const files = [
    INDEX,
    { path: 'drivers/bells/README.md', text: '' },
    { path: 'hardware-sim/settings-file.ts', text: 'const settings = { bell: { chip } }' },
    { path: 'tests/golden/bells.test.ts', text: '' },
  ]
  expect(incompleteDrivers(files)).toEqual([])
})

test('a folder of drivers that nobody lists is told', () => {
  const files = [INDEX, { path: 'drivers/bells/bell.ts', text: '' }, { path: 'drivers/horns/horn.ts', text: '' }]
  expect(told(unlistedDrivers(files))).toEqual(['drivers/horns:1 not in drivers/index.ts: add its line there'])
})
