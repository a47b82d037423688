/** What the lens sees: brightness from 0 to 255 of each block of 8 by 8 points, row by row. */
export interface Picture {
  readonly columns: number
  readonly rows: number
  readonly blocks: Uint8Array
}

const COLUMNS = 20
const ROWS = 15
const FIGURE_BLOCKS = 3

/** An entrance hall, 160 by 120 points. Somebody walks through it while something moves, a step a frame. */
export function hall(frame: number, moving: boolean): Picture {
  const blocks = new Uint8Array(COLUMNS * ROWS)
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) blocks[row * COLUMNS + column] = 60 + row * 6 + (column % 5)
  }
  // A clock on the wall that counts frames, so that no two pictures are the same.
  for (let bit = 0; bit < 16; bit++) blocks[COLUMNS - 1 - bit] = (frame >> bit) & 1 ? 230 : 20
  if (moving) {
    const left = frame % (COLUMNS - FIGURE_BLOCKS)
    for (let row = 6; row < 12; row++) blocks.fill(215, row * COLUMNS + left, row * COLUMNS + left + FIGURE_BLOCKS)
  }
  return { columns: COLUMNS, rows: ROWS, blocks }
}

/** ITU-T T.81, table K.3: how many codes of each length, and the categories of DC differences in their order. */
const DC_LENGTHS = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
const DC_CATEGORIES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
/** All blocks are of one brightness: the only AC code is the end of the block, and its code is 0. */
const AC_LENGTHS = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
/** The DC coefficient of a block of one brightness is 8 times that (T.81, A.3.3): a step of 8 leaves the brightness. */
const STEP = 8
const BLOCK_POINTS = 8
const MIDDLE = 128

/** The picture as a grey baseline JPEG (ITU-T T.81, annex B). */
export function encodeJpeg({ columns, rows, blocks }: Picture): Buffer {
  const size = [
    (rows * BLOCK_POINTS) >> 8,
    (rows * BLOCK_POINTS) & 255,
    (columns * BLOCK_POINTS) >> 8,
    (columns * BLOCK_POINTS) & 255,
  ]
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    segment(0xe0, [...Buffer.from('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0]),
    segment(0xdb, [0, ...new Array<number>(64).fill(STEP)]),
    segment(0xc0, [8, ...size, 1, 1, 0x11, 0]),
    segment(0xc4, [0x00, ...DC_LENGTHS, ...DC_CATEGORIES]),
    segment(0xc4, [0x10, ...AC_LENGTHS, 0x00]),
    segment(0xda, [1, 1, 0x00, 0, 63, 0]),
    scan(blocks),
    Buffer.of(0xff, 0xd9),
  ])
}

function segment(marker: number, content: readonly number[]): Buffer {
  const length = content.length + 2
  return Buffer.from([0xff, marker, length >> 8, length & 255, ...content])
}

/** Differences of the DC coefficients, each followed by the end of its block (T.81, F.1.2). */
function scan(blocks: Uint8Array): Buffer {
  const codes = dcCodes()
  let bits = ''
  let before = 0
  for (const brightness of blocks) {
    const difference = brightness - MIDDLE - before
    before = brightness - MIDDLE
    const category = difference === 0 ? 0 : 32 - Math.clz32(Math.abs(difference))
    const value = difference < 0 ? difference + 2 ** category - 1 : difference
    const magnitude = category === 0 ? '' : value.toString(2).padStart(category, '0')
    bits += `${codes[category]}${magnitude}0`
  }
  const bytes: number[] = []
  for (let at = 0; at < bits.length; at += 8) {
    const byte = Number.parseInt(bits.slice(at, at + 8).padEnd(8, '1'), 2)
    bytes.push(byte)
    // So that it is no marker.
    if (byte === 0xff) bytes.push(0)
  }
  return Buffer.from(bytes)
}

/** Codes of one length count up, and double from one length to the next (T.81, C.2). */
function dcCodes(): string[] {
  const codes: string[] = []
  let code = 0
  DC_LENGTHS.forEach((count, index) => {
    for (let each = 0; each < count; each++) codes.push((code++).toString(2).padStart(index + 1, '0'))
    code *= 2
  })
  return codes
}
