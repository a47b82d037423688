/** One entry for each value of a byte: the polynomial A001 applied eight times. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1
  return crc
})

/**
 * CRC-16 of MODBUS over Serial Line V1.02, 6.2.2: start FFFF, polynomial A001 on reflected bits. On the wire its
 * low byte goes first (2.5.1.2).
 * @param end the byte behind the last one
 */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0xffff
  for (let at = start; at < end; at++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[at]!) & 0xff]!
  return crc
}
