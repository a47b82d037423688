import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OpenedStore } from '../../gateway/store/opened-store.ts'

/** Take a copy of a log that goes on, and write it as a log of its own. @returns its name */
export async function copyInto(folder: string, store: OpenedStore, between: () => Promise<void>): Promise<string> {
  const path = join(folder, 'hub.db')
  const { databaseBytes, pieces } = await store.backup()
  const bytes: Buffer[] = []
  for await (const piece of pieces) {
    bytes.push(piece)
    await between()
  }
  const whole = Buffer.concat(bytes)
  writeFileSync(path, whole.subarray(0, databaseBytes))
  writeFileSync(`${path}-wal`, whole.subarray(databaseBytes))
  return path
}
