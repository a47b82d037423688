import type { z } from 'zod'

type RawIssue = z.core.$ZodRawIssue

/** What a person writes to give a value of this type. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map of keys',
  record: 'a map of keys',
  array: 'a list',
  null: 'null',
}
const LISTED_MAX = 30

/** What a check found wrong, in the words of somebody who writes a settings file; undefined leaves zod's own words. */
export function words(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `${typeName(issue.expected)} is wanted`
    case 'invalid_value':
      return `${oneOf(issue.values)} is wanted`
    case 'too_big':
      return `at most ${amount(issue.origin, issue.maximum)}${issue.inclusive === false ? ' (and less)' : ''}`
    case 'too_small':
      return `at least ${amount(issue.origin, issue.minimum)}${issue.inclusive === false ? ' (and more)' : ''}`
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor} is wanted`
    default:
      return undefined
  }
}

export function typeName(expected: string): string {
  return TYPES[expected] ?? expected
}

/** `7 or 8`, `one of none, even, odd`. */
export function oneOf(values: readonly unknown[]): string {
  const texts = values.slice(0, LISTED_MAX).map(String)
  if (texts.length <= 1) return `only ${texts.join('')}`
  return texts.length === 2 ? texts.join(' or ') : `one of ${texts.join(', ')}`
}

function amount(origin: string, limit: unknown): string {
  if (origin === 'string') return `${limit} ${limit === 1 ? 'character' : 'characters'}`
  if (origin === 'array' || origin === 'set' || origin === 'map') return `${limit} ${limit === 1 ? 'entry' : 'entries'}`
  return String(limit)
}
