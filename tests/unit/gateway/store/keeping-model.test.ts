import fc from 'fast-check'
import { test } from 'vitest'
import { keepsItsPromises } from './keeping-model.ts'
import { anyPlan } from './keeping-plans.ts'

test('whatever is appended, confirmed, waited for and broken off: within its room, oldest first, and nothing is silent', async () => {
  await fc.assert(fc.asyncProperty(anyPlan(30), keepsItsPromises), { numRuns: 2, endOnFailure: true })
}, 60_000)
