import { expect, test } from 'vitest'
import { Access, REQUESTS_PER_CONSUMER_MAX } from '../../../../gateway/api/access.ts'
import { ALL_RIGHTS } from '../../../../gateway/contract/rights.ts'
import { logInto } from '../upstream/rig.ts'

const caller = (id: string) => ({ id, rights: ALL_RIGHTS, commands: [] })

test('a request that ends makes room for one, and only for its own consumer', () => {
  const access = new Access({ tokens: { verify: () => undefined }, consumers: [], log: logInto([]) })
  const ends = Array.from({ length: REQUESTS_PER_CONSUMER_MAX }, () => access.begin(caller('property')))
  const refused = () => expect(() => access.begin(caller('property'))).toThrow('16 requests running')
  refused()
  access.begin(caller('city'))()
  refused()
  ends[0]?.()
  ends[0] = access.begin(caller('property'))
  refused()
  for (const end of ends) end()
  for (let n = 0; n < REQUESTS_PER_CONSUMER_MAX; n++) access.begin(caller('property'))
  refused()
})

test('a token is taken from a bearer header only, whatever the case of the word', () => {
  const asked: string[] = []
  const verify = (token: string) => {
    asked.push(token)
    return { consumer: 'property', id: '1' }
  }
  const access = new Access({ tokens: { verify }, consumers: [caller('property')], log: logInto([]) })
  expect(access.callerOf('Bearer abc').id).toBe('property')
  expect(access.callerOf('bearer  abc').id).toBe('property')
  for (const header of [undefined, '', 'abc', 'Basic abc', 'Bearer', 'Bearer a b', 'Bearer \u00e4']) {
    expect(() => access.callerOf(header), String(header)).toThrow('token')
  }
  expect(asked).toEqual(['abc', 'abc'])
})
