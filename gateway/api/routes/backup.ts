import { EVENT_CLASSES } from '../../contract/event.ts'
import type { Rights } from '../../contract/rights.ts'
import { ApiProblem } from '../problem.ts'
import { type Answer, type ApiRequest, callerOf, type Route } from '../route.ts'

export interface BackupParts {
  /** The log, a database and behind it its WAL. @param by the consumer who gets it */
  readonly backup: (by: string) => Promise<{ readonly databaseBytes: number; readonly pieces: AsyncIterable<Buffer> }>
}

/** `GET /v1/backup`: the whole log, for who may see all of it; `linli backup` makes one file of it. */
export function backupRoute({ backup }: BackupParts): Route {
  return {
    method: 'GET',
    path: '/v1/backup',
    async handle(request: ApiRequest): Promise<Answer> {
      const { id, rights } = callerOf(request)
      if (!seesAll(rights)) {
        const hint = 'it needs rights: { types: ["*"], devices: ["*"], privacy: sensitive }, and all classes'
        throw new ApiProblem(403, 'forbidden', `${id} may not see everything in the log; ${hint}`, {
          members: { hint },
        })
      }
      const { databaseBytes, pieces } = await backup(id)
      const headers = { 'linli-database-bytes': String(databaseBytes) }
      return { status: 200, type: 'application/octet-stream', headers, body: pieces }
    },
  }
}

function seesAll({ types, devices, classes, privacy }: Rights): boolean {
  const all = types.includes('*') && devices.includes('*') && privacy === 'sensitive'
  return all && EVENT_CLASSES.every((name) => classes.includes(name))
}
