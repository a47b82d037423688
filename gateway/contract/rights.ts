import { type Entry, EVENT_CLASSES, type EventClass, PRIVACY_LEVELS, type Privacy } from './event.ts'

/** What a consumer may see: types and devices by name or by `prefix.*`, classes, and a privacy level. */
export interface Rights {
  readonly types: readonly string[]
  readonly devices: readonly string[]
  readonly classes: readonly EventClass[]
  readonly privacy: Privacy
}

export const ALL_RIGHTS: Rights = { types: ['*'], devices: ['*'], classes: EVENT_CLASSES, privacy: 'sensitive' }

/** Whether somebody sees everything: who does may have the whole log, and look into the parts of the hub. */
export function seesAll({ types, devices, classes, privacy }: Rights): boolean {
  const all = types.includes('*') && devices.includes('*') && privacy === 'sensitive'
  return all && EVENT_CLASSES.every((name) => classes.includes(name))
}

/** A gap is told to everybody who could have seen one of the missing classes, the change of an epoch to all; it names no device. */
export function maySee(rights: Rights, entry: Entry): boolean {
  if (entry.kind === 'gap') {
    return entry.reason === 'epoch-change' || rights.classes.some((name) => (entry.counts[name] ?? 0) > 0)
  }
  return (
    rights.classes.includes(entry.class) &&
    PRIVACY_LEVELS.indexOf(entry.privacy) <= PRIVACY_LEVELS.indexOf(rights.privacy) &&
    rights.types.some((pattern) => matches(pattern, entry.type)) &&
    rights.devices.some((pattern) => matches(pattern, deviceOf(entry.source)))
  )
}

/** `*` matches all, `linli.meter.*` what begins with `linli.meter.`, anything else only itself. */
export function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
}

/** `devices/meter-301` is `meter-301`; other sources stand for themselves. */
export function deviceOf(source: string): string {
  return source.startsWith('devices/') ? source.slice('devices/'.length) : source
}
