/** The first row is the head. Columns are padded to one width, as the formatter writes them. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(cell))
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(3, ...cells.map((row) => displayWidth(row[column] ?? ''))),
  )
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`
  const padded = cells.map((row) => line(widths.map((width, at) => padTo(row[at] ?? '', width))))
  return [padded[0], line(widths.map((width) => '-'.repeat(width))), ...padded.slice(1)].join('\n')
}

function padTo(text: string, width: number): string {
  return text + ' '.repeat(width - displayWidth(text))
}

/** Characters of East Asian scripts take two columns (Unicode, UAX #11). */
function displayWidth(text: string): number {
  return [...text].reduce(
    (sum, char) =>
      sum + (/[\p{sc=Han}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}\u3000-\u303f\uff01-\uff60]/u.test(char) ? 2 : 1),
    0,
  )
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
