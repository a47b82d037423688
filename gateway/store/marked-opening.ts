import type { Opening } from './boots.ts'
import { type LogFile, type OpenedLog, openLogFile } from './log-file.ts'
import { markText, parseMark } from './mark.ts'
import { type DataLock, trouble } from './sqlite.ts'
import { walSalt } from './worker-files.ts'

/** Open the log by what the mark beside it says, and keep the mark true where the disk fails that on its way. */
export function openMarked(
  lock: DataLock | undefined,
  file: LogFile,
  opening: Opening,
  freeBytes: number | undefined,
): OpenedLog {
  const mark = parseMark(lock?.read() ?? '')
  const hadWal = walSalt(file.path) !== undefined
  try {
    return openLogFile(file, opening, mark, freeBytes)
  } catch (error) {
    // It was open for a moment, and closing it copied the WAL into it: whoever opens it next must not miss the WAL.
    if (mark !== undefined && hadWal && walSalt(file.path) === undefined) {
      quietly(() => lock?.write(markText({ ...mark, closed: true })))
    }
    throw error
  }
}

/** What goes wrong with the disk while something is closed changes nothing any more. */
export function quietly(step: () => void): void {
  try {
    step()
  } catch (error) {
    if (trouble(error) === undefined) throw error
  }
}
