import fc from 'fast-check'
import { expect, test } from 'vitest'
import { check } from './parts.ts'

test('aliases that unfold without end are refused, not unfolded', () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]']
  for (let n = 1; n < 9; n++) {
    const [from, to] = [String.fromCharCode(96 + n), String.fromCharCode(97 + n)]
    bomb.push(`${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(',')}]`)
  }
  expect(check(bomb.join('\n')).problems[0]?.message).toContain('this is no YAML')
})

test('brackets without end do not break the check', () => {
  for (const depth of [1000, 20_000]) {
    expect(check(`hub: ${'['.repeat(depth)}${']'.repeat(depth)}`).problems.length).toBeGreaterThan(0)
  }
})

test('no text makes the check throw', () => {
  const word = fc.constantFrom(
    'hub',
    'connections',
    'rs485',
    'devices',
    'id',
    ':',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '\n',
    '  ',
    ',',
    '"',
    '&a ',
    '*a',
    '!x',
    '1',
    '__proto__',
    '10s',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(word, { maxLength: 60 }).map((words) => words.join('')),
        fc.string(),
      ),
      (text) => {
        const { settings, problems } = check(text)
        expect(settings === undefined).toBe(problems.some(({ severity }) => severity === 'error'))
      },
    ),
    { numRuns: 500 },
  )
})

const anything = fc.jsonValue({ maxDepth: 4 })

test('no values make the check throw, whatever stands where', () => {
  fc.assert(
    fc.property(anything, anything, anything, anything, (hub, options, devices, rights) => {
      const text = JSON.stringify({
        hub,
        connections: [{ id: 'a', rs485: options, devices }, options, { id: hub, gpioDoor: { lock: options } }],
        upstream: [{ id: 'u', mqtt: options, rights: { devices: rights } }],
        consumers: devices,
        api: options,
      })
      expect(check(text).problems.length).toBeGreaterThan(0)
    }),
    // Such a value can't even be turned into text.
    { numRuns: 100, examples: [[{ toString: null }, [{ toString: null }], {}, { toString: null }]] },
  )
})
