import { expect, test } from 'vitest'
import { linli } from './told.ts'

const VERBS = ['run', 'check', 'token', 'events', 'profiles', 'doctor', 'generate', 'version']

test('help lists every verb, and tells more of each', async () => {
  const { code, out } = await linli(['help'])
  expect(code).toBe(0)
  expect(VERBS.filter((verb) => !out.includes(`\n  ${verb} `))).toEqual([])
  for (const verb of VERBS) {
    const told = await linli(['help', verb])
    expect([told.code, told.out.includes(`linli ${verb}`)]).toEqual([0, true])
    expect((await linli([verb, '--help'])).out).toBe(told.out)
  }
})

test('without a verb the help is shown', async () => {
  expect((await linli([])).out).toBe((await linli(['--help'])).out)
})

test('an unknown verb gets the nearest one, and exit code 2', async () => {
  expect(await linli(['chekc', 'x.yaml'])).toEqual({
    code: 2,
    out: '',
    error: 'linli: unknown verb `chekc`; did you mean `linli check`?\n',
  })
  expect((await linli(['dance'])).error).toBe('linli: unknown verb `dance`; `linli help` lists the verbs\n')
  expect((await linli(['help', 'chekc'])).code).toBe(2)
  expect((await linli(['constructor'])).code).toBe(2)
})

test('an unknown option, a missing name and one too many are told with the usage', async () => {
  const option = await linli(['check', '--jsn'])
  expect(option.code).toBe(2)
  expect(option.error).toMatch(/^linli check: unknown option --jsn; did you mean --json\?\n\nlinli check \[FILE\]/)
  expect((await linli(['version', '--far'])).error).toContain('unknown option --far; known: --json')
  expect((await linli(['token', 'create'])).error).toMatch(/^linli token: CONSUMER is missing\n/)
  expect((await linli(['token', 'create', 'a', 'b'])).error).toMatch(/^linli token: `b` is one too many\n/)
  expect((await linli(['token', 'list', '--settings'])).error).toContain("Option '--settings <value>' argument missing")
  expect((await linli(['token', 'revok', 'x'])).error).toContain('unknown `revok`; did you mean revoke?')
})

test('the version is that of package.json', async () => {
  expect((await linli(['version'])).out).toMatch(/^linli \d+\.\d+\.\d+ \(Node \d+\./)
  expect(JSON.parse((await linli(['--version', '--json'])).out)).toMatchObject({ node: process.versions.node })
})
