import { isFault } from '../contract/fault.ts'
import type { Io } from '../contract/io.ts'
import type { Checked, DriverTable } from './check.ts'
import { valueAt } from './explain.ts'
import type { Mistake, Path, PlacedProblem } from './mistake.ts'

/**
 * What shows only beside the file: profiles that are not there, secrets that are missing. No reason not to start:
 * such a connection parks and the others work, so that a hub never stays down for one of them.
 */
export async function checkWorld(
  checked: Checked,
  drivers: DriverTable,
  io: WorldIo,
): Promise<readonly PlacedProblem[]> {
  const mistakes = tooLargeForDisk(checked, io)
  for (const { at, connection } of checked.connections) {
    const found = (await drivers[connection.kind]?.check?.(connection.options, io)) ?? []
    mistakes.push(...found.map((problem) => ({ ...problem, path: ['connections', at, ...problem.path] })))
  }
  for (const { name, path } of secretsIn(checked.found, [])) {
    const mistake = await missingSecret(name, path, io)
    if (mistake !== undefined) mistakes.push(mistake)
  }
  return mistakes.map(checked.place)
}

export interface WorldIo extends Pick<Io, 'profiles' | 'secrets'> {
  /** What the log at a path may take of its disk, with what it has already; undefined where nobody can say. */
  roomForLog?(path: string): number | undefined
}

function tooLargeForDisk({ settings, found }: Checked, { roomForLog }: WorldIo): Mistake[] {
  if (settings === undefined) return []
  const { path, maxBytes } = settings.storage
  const room = roomForLog?.(path)
  if (room === undefined || room >= maxBytes) return []
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
  const message = `the log may take ${megabytes(maxBytes)}, and its disk has room for ${megabytes(room)}`
  const hint = 'lower `maxSize`: the log keeps to it by itself, on a full disk it loses what it could have kept'
  const at = ['storage', 'maxSize']
  return [{ severity: 'warning', path: at, found: valueAt(found, at), message, hint }]
}

interface NamedSecret {
  readonly name: string
  readonly path: Path
}

/** Every `{ secret: NAME }` of the file, wherever it stands. */
function secretsIn(value: unknown, path: Path): NamedSecret[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((entry, at) => secretsIn(entry, [...path, at]))
  return Object.entries(value).flatMap(([key, entry]) =>
    key === 'secret' && typeof entry === 'string' ? [{ name: entry, path }] : secretsIn(entry, [...path, key]),
  )
}

/** A warning, not an error: on the box systemd shows the secrets to the hub only, not to who checks the file. */
async function missingSecret(name: string, path: Path, { secrets }: Pick<Io, 'secrets'>): Promise<Mistake | undefined> {
  try {
    await secrets.load(name)
    return undefined
  } catch (error) {
    if (!isFault(error)) throw error
    const hint = error.hint ?? 'put its value into a file of this name'
    return { severity: 'warning', path, found: { secret: name }, message: error.message, hint }
  }
}
