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

/**
 * Where each page that the WAL holds begins in it, as it was with the last whole commit.
 * @param read gives bytes of the file, fewer at its end
 */
export function committedPages(header: WalHeader, read: (at: number, bytes: number) => Buffer): Map<number, number> {
  const committed = new Map<number, number>()
  let open = new Map<number, number>()
  let checksum = header.checksum
  const frameBytes = FRAME_HEADER_BYTES + header.pageBytes
  for (let at = HEADER_BYTES; ; at += frameBytes) {
    const frame = read(at, frameBytes)
    if (frame.length < frameBytes || !frame.subarray(8, 16).equals(header.salts)) return committed
    checksum = sum(checksum, frame.subarray(0, 8), header.bigEndian)
    checksum = sum(checksum, frame.subarray(FRAME_HEADER_BYTES), header.bigEndian)
    if (checksum[0] !== frame.readUInt32BE(16) || checksum[1] !== frame.readUInt32BE(20)) return committed
    open.set(frame.readUInt32BE(0), at + FRAME_HEADER_BYTES)
    if (frame.readUInt32BE(4) === 0) continue
    for (const [page, where] of open) committed.set(page, where)
    open = new Map()
  }
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
