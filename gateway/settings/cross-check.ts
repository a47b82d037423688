import type { Driver, Problem } from '../contract/driver.ts'
import { matches } from '../contract/rights.ts'
import { valueAt } from './explain.ts'
import type { CheckedConnection } from './schema.ts'

type Path = readonly (string | number)[]

/** What no part of the file can know alone: names used twice, one port for two lines, rights on nothing. */
export function crossCheck(
  found: Record<string, unknown>,
  connections: readonly CheckedConnection[],
  drivers: Readonly<Record<string, Driver>>,
): Problem[] {
  const devices = devicesOf(connections, drivers)
  return [
    ...namedTwice(found, 'connections'),
    ...namedTwice(found, 'upstream'),
    ...namedTwice(found, 'consumers'),
    ...devicesTwice(devices),
    ...portsTwice(found),
    ...rightsOnNothing(found, devices),
  ]
}

interface NamedDevice {
  readonly id: string
  readonly path: Path
}

function devicesOf(
  connections: readonly CheckedConnection[],
  drivers: Readonly<Record<string, Driver>>,
): NamedDevice[] {
  return connections.flatMap(({ at, connection }) => {
    const ids = drivers[connection.kind]?.devices(connection.options) ?? []
    const listed = valueAt(connection.options, ['devices'])
    return ids.map((id, index) => ({
      id,
      path: Array.isArray(listed) ? ['connections', at, 'devices', index, 'id'] : ['connections', at],
    }))
  })
}

function namedTwice(found: Record<string, unknown>, section: string): Problem[] {
  const list = Array.isArray(found[section]) ? found[section] : []
  return twice(
    list.map((entry, at) => ({ value: valueAt(entry, ['id']), path: [section, at, 'id'] })),
    (id) => ({
      message: `the name \`${id}\` is given twice`,
      hint: `each entry of ${section} has a name of its own`,
    }),
  )
}

function devicesTwice(devices: readonly NamedDevice[]): Problem[] {
  return twice(
    devices.map(({ id, path }) => ({ value: id, path })),
    (id) => ({
      message: `two devices are called \`${id}\``,
      hint: 'a device has one name in the whole community: its events are known by it',
    }),
  )
}

function portsTwice(found: Record<string, unknown>): Problem[] {
  const list = Array.isArray(found.connections) ? found.connections : []
  const ports = list.map((entry, at) => ({
    value: valueAt(entry, ['rs485', 'port']),
    path: ['connections', at, 'rs485', 'port'],
  }))
  const lines = list.map((entry, at) => {
    const [host, port] = [valueAt(entry, ['modbusTcp', 'host']), valueAt(entry, ['modbusTcp', 'port'])]
    return { value: host === undefined ? undefined : `${host}:${port ?? 502}`, path: ['connections', at, 'modbusTcp'] }
  })
  return [
    ...twice(ports, (port) => ({
      message: `two connections want the serial port ${port}`,
      hint: 'one line has one owner: put the devices of both into one connection',
    })),
    ...twice(lines, (host) => ({
      message: `two connections want the Modbus TCP host ${host}`,
      hint: 'put the devices of both into one connection',
    })),
  ]
}

function rightsOnNothing(found: Record<string, unknown>, devices: readonly NamedDevice[]): Problem[] {
  const ids = devices.map(({ id }) => id)
  return ['upstream', 'consumers'].flatMap((section) => {
    const list = Array.isArray(found[section]) ? found[section] : []
    return list.flatMap((entry, at) => {
      const patterns = valueAt(entry, ['rights', 'devices'])
      if (!Array.isArray(patterns)) return []
      return patterns.flatMap((pattern, index): Problem[] => {
        if (typeof pattern !== 'string' || ids.some((id) => matches(pattern, id))) return []
        return [
          {
            severity: 'warning',
            path: [section, at, 'rights', 'devices', index],
            found: pattern,
            message: 'no device of this file matches',
            hint: `the devices are: ${ids.slice(0, 20).join(', ') || 'none'}`,
          },
        ]
      })
    })
  })
}

/** A problem for every value that stood before; undefined values do not count. */
function twice(
  entries: readonly { readonly value: unknown; readonly path: Path }[],
  say: (value: string) => { readonly message: string; readonly hint: string },
): Problem[] {
  const seen = new Set<unknown>()
  return entries.flatMap(({ value, path }) => {
    if (typeof value !== 'string') return []
    const before = seen.has(value)
    seen.add(value)
    return before ? [{ severity: 'error' as const, path, found: value, ...say(value) }] : []
  })
}
