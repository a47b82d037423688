import { posix } from 'node:path'
import { isNode, lineAt, type Node, type Source, walk } from './sources.ts'

export interface Import {
  readonly specifier: string
  readonly line: number
  /** What is taken from it; empty where the whole module is. */
  readonly names: readonly string[]
}

/** Every way in which a file leans on another: import, export from, import(), types of import(), a worker's URL. */
export function importsOf({ text, program, module }: Source): readonly Import[] {
  const found: Import[] = []
  for (const { moduleRequest, entries, start } of module.staticImports) {
    const names = entries.flatMap(({ importName }) => (importName.name === null ? [] : [importName.name ?? '']))
    found.push({ specifier: moduleRequest.value, line: lineAt(text, start), names })
  }
  for (const { entries, start } of module.staticExports) {
    const from = entries.find(({ moduleRequest }) => moduleRequest !== null)?.moduleRequest
    if (from != null) found.push({ specifier: from.value, line: lineAt(text, start), names: [] })
  }
  walk(program, (node) => {
    const specifier = looseImport(node)
    if (specifier !== undefined) found.push({ specifier, line: lineAt(text, node.start), names: [] })
  })
  return found
}

/** The path of a file of ours that is imported; undefined for packages and modules of Node. */
export function ownPath(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return posix.normalize(posix.join(posix.dirname(from), specifier))
}

/** `@serialport/bindings-cpp` of `@serialport/bindings-cpp/dist/x`; undefined for files of ours and modules of Node. */
export function packageName(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** What is imported in the middle of the code. */
function looseImport(node: Node): string | undefined {
  if (node.type === 'ImportExpression' || node.type === 'TSImportType') {
    return literal(node.source ?? node.argument)
  }
  if (node.type === 'NewExpression' && isNode(node.callee) && node.callee.name === 'URL') {
    const path = literal((node.arguments as readonly unknown[])[0])
    if (path?.endsWith('.ts') !== true) return undefined
    // Unlike an import, a URL counts from its file without `./`, too.
    return path.startsWith('.') ? path : `./${path}`
  }
  if (node.type === 'CallExpression' && isNode(node.callee) && node.callee.name === 'require') {
    return literal((node.arguments as readonly unknown[])[0])
  }
  return undefined
}

function literal(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  if (node.type === 'TSLiteralType') return literal(node.literal)
  return typeof node.value === 'string' ? node.value : undefined
}
