import { expect, test } from 'vitest'
import { driverFolders, generatedFiles } from '../../../../gateway/cli/generated-files.ts'

test('the folder of a driver is the one that the table imports it from', () => {
  const index = `import { gpioDoor } from './gpio-door/gpio-door.ts'
import { modbusTcp } from './rs485/modbus-tcp.ts'

export const drivers = {
  modbusTcp: modbusTcp as Driver,
  gpioDoor,
}
`
  expect([...driverFolders(index)]).toEqual([
    ['modbusTcp', 'rs485'],
    ['gpioDoor', 'gpio-door'],
  ])
})

test('a README without marks is told, one that is not there is left out', async () => {
  await expect(generatedFiles((path) => (path === 'config/README.md' ? 'none' : undefined))).rejects.toMatchObject({
    message: 'config/README.md has no place for the table of options',
  })
  const options = '<!-- options -->\n<!-- /options -->\n'
  await expect(generatedFiles((path) => (path === 'config/README.md' ? options : undefined))).rejects.toMatchObject({
    message: 'config/README.md has no place for the table of points',
  })
  const paths = (await generatedFiles(() => undefined)).map(({ path }) => path)
  expect(paths).toEqual(['config/settings.schema.json', 'config/profiles/profile.schema.json'])
})
