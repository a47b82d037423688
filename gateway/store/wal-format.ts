/**
 * The write-ahead log of SQLite as bytes (sqlite.org/fileformat2, section 4), for a database that SQLite itself can't
 * open any more: which pages of it count.
 */

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const MAGIC = 0x377f0682

export interface WalHeader {
  readonly pageBytes: number
  /** The words of the checksums are big-endian. */
  readonly bigEndian: boolean
  readonly salts: Buffer
  readonly checksum: Checksum
}
type Checksum = readonly [number, number]

/** Undefined where it is none, or its checksum is wrong. */
export function walHeader(bytes: Buffer): WalHeader | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const magic = bytes.readUInt32BE(0)
  if ((magic & ~1) >>> 0 !== MAGIC) return undefined
  const bigEndian = (magic & 1) === 1
  const checksum = sum([0, 0], bytes.subarray(0, 24), bigEndian)
  if (checksum[0] !== bytes.readUInt32BE(24) || checksum[1] !== bytes.readUInt32BE(28)) return undefined
  return { pageBytes: bytes.readUInt32BE(8), bigEndian, salts: Buffer.from(bytes.subarray(16, 24)), checksum }
}

/** Gives bytes of the file, fewer at its end. */
export type ReadWal = (at: number, bytes: number) => Buffer

export interface CommittedPages {
  /** Where each page that the WAL holds begins in it, as it was with the last whole commit. */
  readonly pages: Map<number, number>
  /** Where the first frame stands that does not follow from the one before: there SQLite stops. */
  readonly endsAt: number
}

/** What SQLite takes of a WAL. */
export function committedPages(header: WalHeader, read: ReadWal): CommittedPages {
  const pages = new Map<number, number>()
  let open = new Map<number, number>()
  let checksum = header.checksum
  const frameBytes = FRAME_HEADER_BYTES + header.pageBytes
  for (let at = HEADER_BYTES; ; at += frameBytes) {
    const frame = read(at, frameBytes)
    if (frame.length < frameBytes || !frame.subarray(8, 16).equals(header.salts)) return { pages, endsAt: at }
    if (!follows(frame, checksum, header.bigEndian)) return { pages, endsAt: at }
    checksum = checksumIn(frame)
    open.set(frame.readUInt32BE(0), at + FRAME_HEADER_BYTES)
    if (!isCommit(frame)) continue
    for (const [page, where] of open) pages.set(page, where)
    open = new Map()
  }
}

/**
 * The pages of commits that SQLite leaves out though they were on the disk once: a frame before them, or the header, was
 * lost or turned later. What proves it is a commit with a frame that follows from it, because nothing is written
 * behind a commit before that is synced. Undefined where there is none: then the WAL just ends, in a
 * commit of which nobody was told.
 * @param endsAt where SQLite stops; 0 where it takes nothing of this WAL
 */
export function commitsLeftOut(
  shape: Pick<WalHeader, 'pageBytes' | 'bigEndian'> & { readonly salt: number },
  read: ReadWal,
  endsAt: number,
): Map<number, number> | undefined {
  const frameBytes = FRAME_HEADER_BYTES + shape.pageBytes
  let proven = false
  const pages = new Map<number, number>()
  let open = new Map<number, number>()
  let before: Buffer | undefined
  const from = Math.max(endsAt, HEADER_BYTES)
  for (let at = mayBeCopy(read, from, frameBytes) ? from + frameBytes : from; ; at += frameBytes) {
    const frame = read(at, frameBytes)
    if (frame.length < frameBytes) return proven ? pages : undefined
    if (before !== undefined && goesOn(before, frame, shape)) {
      // A commit is filled up to the end of its sector with copies of its last frame, which are synced with it.
      if (isCommit(before) && !isCopy(before, frame)) proven = true
      open.set(frame.readUInt32BE(0), at + FRAME_HEADER_BYTES)
      if (isCommit(frame)) {
        for (const [page, where] of open) pages.set(page, where)
        open = new Map()
      }
    } else open = new Map()
    before = frame
  }
}

/**
 * Whether the broken frame may be a copy that fills up the sector of the commit before it: its end is synced with the next
 * commit only, and nothing is lost with it. Its page can't be compared any more.
 */
function mayBeCopy(read: ReadWal, at: number, frameBytes: number): boolean {
  const before = read(Math.max(0, at - frameBytes), 8)
  return at > HEADER_BYTES && before.equals(read(at, 8)) && isCommit(before)
}

/** Both of the same filling of this WAL, not of one that was before, and one behind the other. */
function goesOn(before: Buffer, frame: Buffer, { salt, bigEndian }: { salt: number; bigEndian: boolean }): boolean {
  const isNow = [salt, (salt + 1) % 2 ** 32].includes(frame.readUInt32BE(8))
  const together = before.subarray(8, 16).equals(frame.subarray(8, 16))
  return isNow && together && follows(frame, checksumIn(before), bigEndian)
}

function follows(frame: Buffer, checksum: Checksum, bigEndian: boolean): boolean {
  const head = sum(checksum, frame.subarray(0, 8), bigEndian)
  const [first, second] = sum(head, frame.subarray(FRAME_HEADER_BYTES), bigEndian)
  const [firstThere, secondThere] = checksumIn(frame)
  return first === firstThere && second === secondThere
}

function checksumIn(frame: Buffer): Checksum {
  return [frame.readUInt32BE(16), frame.readUInt32BE(20)]
}

function isCommit(frame: Buffer): boolean {
  return frame.readUInt32BE(4) !== 0
}

function isCopy(before: Buffer, frame: Buffer): boolean {
  return (
    before.subarray(0, 8).equals(frame.subarray(0, 8)) &&
    before.subarray(FRAME_HEADER_BYTES).equals(frame.subarray(FRAME_HEADER_BYTES))
  )
}

function sum([first, second]: Checksum, bytes: Buffer, bigEndian: boolean): Checksum {
  let a = first
  let b = second
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    a = (a + (bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + b) >>> 0
    b = (b + (bigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + a) >>> 0
  }
  return [a, b]
}
