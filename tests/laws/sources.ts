import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseSync } from 'oxc-parser'

/** A file of the repository; its path counts from there, with `/`. */
export interface TextFile {
  readonly path: string
  readonly text: string
}

/** A node of the syntax tree (ESTree with types), as far as the laws read it. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export interface Source extends TextFile {
  readonly program: Node
  readonly module: ReturnType<typeof parseSync>['module']
}

/** What breaks a law: where, and what to do instead. */
export interface Breach {
  readonly path: string
  readonly line: number
  readonly message: string
}

const REPOSITORY = join(import.meta.dirname, '../..')
const TEXTS = /\.(ts|md|json|ya?ml|sh|c|service|conf|rules|html|css|py|toml)$|^[^.]*$/

/** Every file of ours whose name ends like this, generated ones too. */
export function textFiles(ending: RegExp = TEXTS): readonly TextFile[] {
  const ignored = ignoredFolders()
  const own = readdirSync(REPOSITORY, { withFileTypes: true }).filter(({ name }) => !ignored.includes(name))
  return own
    .flatMap((entry) => {
      if (entry.isFile()) return [entry.name]
      return entry.name.startsWith('.') ? [] : filesIn(join(REPOSITORY, entry.name), ignored)
    })
    .filter((path) => ending.test(path) && path !== 'package-lock.json')
    .sort()
    .map((path) => ({ path, text: readRepository(path) }))
}

/** Every TypeScript file of ours, parsed. */
export function allSources(): readonly Source[] {
  return textFiles(/\.ts$/).map(({ path, text }) => source(path, text))
}

/** @throws when the text is no TypeScript */
export function source(path: string, text: string): Source {
  const { program, module, errors } = parseSync(path, text, { sourceType: 'module' })
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`)
  return { path, text, program: program as unknown as Node, module }
}

export function readRepository(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8')
}

/** Each node of a tree from its top, with the nodes around it, the nearest last. */
export function walk(node: Node, visit: (node: Node, around: readonly Node[]) => void): void {
  step(node, [])
  function step(at: Node, around: readonly Node[]): void {
    visit(at, around)
    const inside = [...around, at]
    for (const child of children(at)) step(child, inside)
  }
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** One breach a line, as a test shows them. */
export function told(breaches: readonly Breach[]): readonly string[] {
  return breaches.map(({ path, line, message }) => `${path}:${line} ${message}`)
}

/** `test` of `test(...)`, `test.each(...)(...)` and `test.runIf(...)(...)`. */
export function calledName(callee: Node): string {
  if (typeof callee.name === 'string') return callee.name
  const inner = callee.object ?? callee.callee
  return isNode(inner) ? calledName(inner) : 'something'
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function children(node: Node): Node[] {
  return Object.values(node).flatMap((value) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  )
}

function filesIn(folder: string, ignored: readonly string[]): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(REPOSITORY, join(parentPath, name)))
    .filter((path) => !path.split('/').some((part) => ignored.includes(part)))
}

/** What git leaves out is not ours: `node_modules/`, `dist/`. */
function ignoredFolders(): readonly string[] {
  const lines = readRepository('.gitignore').split('\n')
  return lines.filter((line) => line.endsWith('/')).map((line) => line.slice(0, -1))
}
