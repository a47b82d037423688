import type { Rights } from '../contract/rights.ts'

/** What somebody asks for, out of what they may see; undefined asks for all of it. */
export interface Wanted {
  readonly types?: readonly string[]
  readonly devices?: readonly string[]
  readonly classes?: readonly string[]
}

/** The rights that are left when only what is wanted is given: never more than before. */
export function narrow(rights: Rights, wanted: Wanted): Rights {
  return {
    types: both(rights.types, wanted.types),
    devices: both(rights.devices, wanted.devices),
    classes: wanted.classes === undefined ? rights.classes : rights.classes.filter((c) => wanted.classes?.includes(c)),
    privacy: rights.privacy,
  }
}

/** Patterns are names or beginnings: of two, one contains the other, or they have nothing in common. */
function both(allowed: readonly string[], wanted: readonly string[] | undefined): readonly string[] {
  if (wanted === undefined) return allowed
  const common = new Set<string>()
  for (const a of allowed) {
    for (const w of wanted) {
      if (contains(a, w)) common.add(w)
      else if (contains(w, a)) common.add(a)
    }
  }
  return [...common]
}

function contains(outer: string, inner: string): boolean {
  if (!outer.endsWith('*')) return outer === inner
  const beginning = outer.slice(0, -1)
  return inner.endsWith('*') ? inner.slice(0, -1).startsWith(beginning) : inner.startsWith(beginning)
}
