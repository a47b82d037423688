/** A grey picture of one pixel, baseline JPEG with the tables of ITU-T T.81, annex K. */
const PICTURE = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/' +
    'wAALCAABAAEBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEI' +
    'I0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKz' +
    'tLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/APn+v//Z',
  'base64',
)
const START_BYTES = 2

/** The picture with a comment (marker FFFE) that makes each one another. */
export function jpeg(comment: string): Buffer {
  const text = Buffer.from(comment)
  const head = Buffer.of(0xff, 0xfe, (text.length + 2) >> 8, (text.length + 2) & 0xff)
  return Buffer.concat([PICTURE.subarray(0, START_BYTES), head, text, PICTURE.subarray(START_BYTES)])
}
