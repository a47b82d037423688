import { EpochChanged, type Position, PositionAhead } from '../store/store.ts'
import type { CursorCodec } from './cursor.ts'
import { ApiProblem } from './problem.ts'

/** What a place that does not fit the log is to the caller; other errors as they are. */
export function positionProblem(error: unknown, cursors: CursorCodec): unknown {
  if (error instanceof EpochChanged) {
    const hint = 'the log was begun anew; go on with the cursor in `oldest`, and expect new ids'
    const members = {
      oldest: cursors.write(error.oldest),
      epoch: error.oldest.epoch,
      askedEpoch: error.asked.epoch,
      hint,
    }
    return new ApiProblem(409, 'cursor-epoch', `${error.message}; ${hint}`, { members })
  }
  if (error instanceof PositionAhead) {
    const end: Position = { epoch: error.asked.epoch, seq: error.lastSeq }
    const hint = 'go on with the cursor in `newest`, or with after=oldest to have everything again'
    return new ApiProblem(409, 'cursor-ahead', `${error.message}; ${hint}`, {
      members: { newest: cursors.write(end), hint },
    })
  }
  return error
}
