import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PageSource } from '../../../../gateway/store/page-format.ts'
import { cellAt, tableCells, tableRoots } from '../../../../gateway/store/page-tree.ts'
import { storeRig } from './rig.ts'

const PAGE_BYTES = 4096

/** A closed log with a table `other` of a thousand records under even keys, and its pages. */
async function pagesWithTable(): Promise<{ bytes: Buffer; pages: PageSource; root: number }> {
  const rig = storeRig()
  await (await rig.open()).close()
  rig.harm('CREATE TABLE other (id INTEGER PRIMARY KEY, text)')
  rig.harm(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO other SELECT 2 * i, printf('%0400d', i) FROM n",
  )
  const bytes = readFileSync(rig.path)
  const pages = sourceOf(bytes)
  return { bytes, pages, root: tableRoots(pages, unexpected).get('other')! }
}

function sourceOf(bytes: Buffer): PageSource {
  return (number) =>
    number >= 1 && number * PAGE_BYTES <= bytes.length
      ? bytes.subarray((number - 1) * PAGE_BYTES, number * PAGE_BYTES)
      : undefined
}

function unexpected(page: number): never {
  throw new Error(`page ${page} is torn`)
}

test('a table of many pages is read in order of its keys, and each key is found', async () => {
  const { pages, root } = await pagesWithTable()
  const keys = [...tableCells(root, pages, unexpected)].map(({ rowid }) => rowid)
  expect(keys).toEqual(Array.from({ length: 1000 }, (_, n) => 2 * (n + 1)))
  for (const key of [2, 500, 1998, 2000])
    expect(cellAt(root, key, pages)?.values[1]).toBe(String(key / 2).padStart(400, '0'))
  for (const key of [0, 1, 501, 2001, -5]) expect(cellAt(root, key, pages)).toBeUndefined()
})

test('pages of any bytes end, and what is not in order is told', async () => {
  const { bytes, root } = await pagesWithTable()
  const numbers = Array.from({ length: bytes.length / PAGE_BYTES }, (_, n) => n + 1)
  fc.assert(
    fc.property(
      fc.constantFrom(...numbers),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.nat(PAGE_BYTES - 64),
      (page, garbage, at) => {
        const harmed = Buffer.from(bytes)
        Buffer.from(garbage).copy(harmed, (page - 1) * PAGE_BYTES + at)
        let last = Number.NEGATIVE_INFINITY
        for (const { rowid } of tableCells(root, sourceOf(harmed), () => undefined)) {
          expect(rowid).toBeGreaterThan(last)
          last = rowid!
        }
        cellAt(root, 1000, sourceOf(harmed))
      },
    ),
    { numRuns: 200 },
  )
})

test('a tree whose pages lead in a circle ends, and says so', async () => {
  const { bytes, root } = await pagesWithTable()
  const harmed = Buffer.from(bytes)
  const start = (root - 1) * PAGE_BYTES
  const count = harmed.readUInt16BE(start + 3)
  for (let n = 0; n < count; n++) harmed.writeUInt32BE(root, start + harmed.readUInt16BE(start + 12 + 2 * n))
  harmed.writeUInt32BE(root, start + 8)
  const torn = new Set<number>()
  expect([...tableCells(root, sourceOf(harmed), (page) => torn.add(page))]).toEqual([])
  expect(torn.has(root)).toBe(true)
  expect(cellAt(root, 500, sourceOf(harmed))).toBeUndefined()
})

test('a page that is gone takes only its own records with it, and is told', async () => {
  const { bytes, root, pages } = await pagesWithTable()
  const child = pages(root)!.readUInt32BE(pages(root)!.readUInt16BE(12))
  const harmed = Buffer.from(bytes)
  harmed.fill(0, (child - 1) * PAGE_BYTES, child * PAGE_BYTES)
  const torn: number[] = []
  const keys = [...tableCells(root, sourceOf(harmed), (page) => torn.push(page))].map(({ rowid }) => rowid)
  expect(torn).toEqual([child])
  expect(keys.length).toBeGreaterThan(900)
  expect(keys).not.toContain(2)
})
