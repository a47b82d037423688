import type { Calls } from './service.ts'

/** A database file, and behind it the WAL that belongs to it. */
export interface Backup {
  readonly databaseBytes: number
  readonly pieces: AsyncIterable<Buffer>
}

export type CopyCall = 'copyBegin' | 'copyRead' | 'copyEnd'
type Ask = <Name extends CopyCall>(name: Name, argument: Calls[Name][0]) => Promise<Calls[Name][1]>

/** Begin a copy; it ends when its pieces are taken or given up. */
export async function takeBackup(ask: Ask): Promise<Backup> {
  const databaseBytes = await ask('copyBegin', undefined)
  return { databaseBytes, pieces: pieces(ask) }
}

async function* pieces(ask: Ask): AsyncGenerator<Buffer> {
  try {
    for (let at = 0; ; ) {
      const piece = await ask('copyRead', at)
      if (piece.length === 0) return
      at += piece.length
      yield Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    }
  } finally {
    await ask('copyEnd', undefined)
  }
}
