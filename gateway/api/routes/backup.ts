import { type Answer, type ApiRequest, callerWithAllRights, type Route } from '../route.ts'

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
      const { id } = callerWithAllRights(request)
      const { databaseBytes, pieces } = await backup(id)
      const headers = { 'linli-database-bytes': String(databaseBytes) }
      return { status: 200, type: 'application/octet-stream', headers, body: pieces }
    },
  }
}
