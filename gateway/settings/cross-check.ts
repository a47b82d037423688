import type { Driver } from '../contract/driver.ts'
import { matches } from '../contract/rights.ts'
import { valueAt } from './explain.ts'
import { isPrivateKey } from './mask.ts'
import type { Mistake, Path } from './mistake.ts'
import type { CheckedConnection } from './schema.ts'

type Found = Readonly<Record<string, unknown>>
type Drivers = Readonly<Record<string, Driver>>

const LISTED_MAX = 20

/** What no part of the file can know alone: names used twice, one port for two lines, rights on nothing. */
export function crossCheck(found: Found, connections: readonly CheckedConnection[], drivers: Drivers): Mistake[] {
  const devices = devicesOf(found, connections, drivers)
  const names = ['connections', 'upstream', 'consumers'].flatMap((section) => namedTwice(found, section))
  const told = new Set(names.map(({ path }) => path.join()))
  return [
    ...names,
    // A door is its connection's only device and has its name: that one is told already.
    ...devicesTwice(devices).filter(({ path }) => !told.has(path.join())),
    ...claimedTwice(connections, drivers),
    ...rightsOnNothing(found, devices),
    ...privateKeys(found, []),
    ...openToListeners(found),
    ...consumersWithoutInterface(found),
  ]
}

interface NamedDevice {
  readonly id: string
  readonly path: Path
}

/** From the drivers where they accept a connection; else from the list as it is written, so that no mistake hides another. */
function devicesOf(found: Found, connections: readonly CheckedConnection[], drivers: Drivers): NamedDevice[] {
  return listIn(found, 'connections').flatMap((entry, at) => {
    const accepted = connections.find((checked) => checked.at === at)?.connection
    const written = valueAt(entry, ['devices'])
    const ids = Array.isArray(written) ? written.map((device) => valueAt(device, ['id'])) : [valueAt(entry, ['id'])]
    const known: readonly unknown[] =
      accepted === undefined ? ids : (drivers[accepted.kind]?.devices(accepted.options, accepted.id) ?? [])
    return known.flatMap((id, nth) => {
      if (typeof id !== 'string') return []
      const index = ids[nth] === id ? nth : ids.indexOf(id)
      return [
        {
          id,
          path:
            index < 0 || !Array.isArray(written)
              ? ['connections', at, 'id']
              : ['connections', at, 'devices', index, 'id'],
        },
      ]
    })
  })
}

function namedTwice(found: Found, section: string): Mistake[] {
  const entries = listIn(found, section).map((entry, at) => ({
    value: valueAt(entry, ['id']),
    path: [section, at, 'id'],
  }))
  return twice(entries, (id) => ({
    message: `the name \`${id}\` is given twice`,
    hint: `each entry of ${section} has a name of its own`,
  }))
}

function devicesTwice(devices: readonly NamedDevice[]): Mistake[] {
  return twice(
    devices.map(({ id, path }) => ({ value: id, path })),
    (id) => ({
      message: `two devices are called \`${id}\``,
      hint: 'a device has one name in the whole community: its events are known by it',
    }),
  )
}

function claimedTwice(connections: readonly CheckedConnection[], drivers: Drivers): Mistake[] {
  const owners = new Map<string, string>()
  return connections.flatMap(({ at, connection }) => {
    const claims = drivers[connection.kind]?.claims?.(connection.options) ?? []
    return claims.flatMap(({ what, path }): Mistake[] => {
      const owner = owners.get(what)
      owners.set(what, owner ?? connection.id)
      if (owner === undefined) return []
      const full = ['connections', at, ...path]
      const hint =
        owner === connection.id
          ? 'one of the two is meant to be another'
          : `one owner each: put what hangs on it into connection \`${owner}\`, or correct it here`
      const message = `the ${what} is taken by \`${owner}\` already`
      return [{ severity: 'error', path: full, found: valueAt(connection.options, path), message, hint }]
    })
  })
}

function rightsOnNothing(found: Found, devices: readonly NamedDevice[]): Mistake[] {
  const connections = listIn(found, 'connections').flatMap((entry) => {
    const id = valueAt(entry, ['id'])
    return typeof id === 'string' ? [`connections/${id}`] : []
  })
  const names = [...devices.map(({ id }) => id), ...connections]
  return ['upstream', 'consumers'].flatMap((section) =>
    listIn(found, section).flatMap((entry, at) =>
      devicePatterns(entry).flatMap(({ pattern, path }): Mistake[] => {
        if (pattern === '*' || names.some((name) => matches(pattern, name))) return []
        const known = devices.map(({ id }) => id).slice(0, LISTED_MAX)
        const hint = `the devices are: ${known.join(', ') || 'none'}`
        const message = 'no device of this file matches'
        return [{ severity: 'warning', path: [section, at, ...path], found: pattern, message, hint }]
      }),
    ),
  )
}

/** What an entry says about devices: those it may see, and those it may command. */
function devicePatterns(entry: unknown): readonly { readonly pattern: string; readonly path: Path }[] {
  const commands = valueAt(entry, ['commands'])
  const places: Path[] = [
    ['rights', 'devices'],
    ...(Array.isArray(commands) ? commands.map((_right, at): Path => ['commands', at, 'devices']) : []),
  ]
  return places.flatMap((place) => {
    const patterns = valueAt(entry, place)
    if (!Array.isArray(patterns)) return []
    return patterns.flatMap((pattern: unknown, at) =>
      typeof pattern === 'string' ? [{ pattern, path: [...place, at] }] : [],
    )
  })
}

/** A key pasted where a path is wanted passes as text; it is a secret in plain text all the same. */
function privateKeys(value: unknown, path: Path): Mistake[] {
  if (isPrivateKey(value)) {
    const message = 'a private key in plain text is refused: whoever sees the settings would have it'
    const hint = `write \`${path.at(-1)}: { secret: NAME }\` and put the key into the file secrets/NAME beside this one`
    return [{ severity: 'error', path, found: value, message, hint }]
  }
  if (Array.isArray(value)) return value.flatMap((entry, at) => privateKeys(entry, [...path, at]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, entry]) => privateKeys(entry, [...path, key]))
}

/** Tokens and passwords that cross a network in the clear. */
function openToListeners(found: Found): Mistake[] {
  const listen = valueAt(found, ['api', 'listen'])
  const warnings: Mistake[] = []
  if (typeof listen === 'string' && !isThisMachine(listen) && valueAt(found, ['api', 'tls']) === undefined) {
    warnings.push({
      severity: 'warning',
      path: ['api', 'listen'],
      found: listen,
      message: 'tokens and events cross the network in the clear',
      hint: 'add `tls: { cert: FILE, key: { secret: NAME } }`, or listen on 127.0.0.1 behind a proxy that has TLS',
    })
  }
  for (const [at, entry] of listIn(found, 'upstream').entries()) {
    const url = valueAt(entry, ['mqtt', 'url'])
    const plain = typeof url === 'string' ? /^(?:mqtt|ws):\/\/(.*)$/.exec(url)?.[1] : undefined
    if (plain === undefined || isThisMachine(plain) || valueAt(entry, ['mqtt', 'password']) === undefined) continue
    warnings.push({
      severity: 'warning',
      path: ['upstream', at, 'mqtt', 'url'],
      found: url,
      message: 'the password and the events cross the network in the clear',
      hint: 'take the mqtts:// address of the broker',
    })
  }
  return warnings
}

function isThisMachine(address: string): boolean {
  return /^(127\.[\d.]+|localhost|\[::1\])(:|\/|$)/.test(address)
}

function consumersWithoutInterface(found: Found): Mistake[] {
  if (listIn(found, 'consumers').length === 0 || found.api !== undefined) return []
  const message = 'nobody can read: consumers pull over HTTP, and there is no `api:`'
  return [{ severity: 'warning', path: ['consumers'], found: undefined, message, hint: 'add `api: {}`' }]
}

function listIn(found: Found, section: string): readonly unknown[] {
  const list = found[section]
  return Array.isArray(list) ? list : []
}

/** A problem for every value that stood before; undefined values do not count. */
function twice(
  entries: readonly { readonly value: unknown; readonly path: Path }[],
  say: (value: string) => { readonly message: string; readonly hint: string },
): Mistake[] {
  const seen = new Set<unknown>()
  return entries.flatMap(({ value, path }) => {
    if (typeof value !== 'string') return []
    const before = seen.has(value)
    seen.add(value)
    return before ? [{ severity: 'error' as const, path, found: value, ...say(value) }] : []
  })
}
