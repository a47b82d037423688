import { type Breach, calledName, isNode, lineAt, type Node, type Source, walk } from './sources.ts'

/** A file is one noun, read from the top: about 300 lines. */
export const FILE_LINES = 300
const FILE_LINES_MAX = 400
/** A function fits on a screen: about 50 lines. */
export const FUNCTION_LINES = 50
const FUNCTION_LINES_MAX = 70

export interface Sizes {
  readonly breaches: readonly Breach[]
  /** Longer than what a file should have, and not yet refused. */
  readonly longFiles: readonly string[]
  readonly longFunctions: readonly string[]
  readonly medianFunctionLines: number
}

/** How long files and functions are. A line is a line, comments and all: somebody has to read it. */
export function sizesOf(sources: readonly Source[]): Sizes {
  const breaches: Breach[] = []
  const longFiles: string[] = []
  const longFunctions: string[] = []
  const lengths: number[] = []
  for (const file of sources) {
    const lines = file.text.trimEnd().split('\n').length
    if (lines > FILE_LINES_MAX) {
      const message = `${lines} lines: a file is one noun; give the second one that is in here a file of its own (${FILE_LINES_MAX} at most)`
      breaches.push({ path: file.path, line: 1, message })
    } else if (lines > FILE_LINES) longFiles.push(`${file.path} (${lines})`)
    for (const { name, line, length } of functionsIn(file)) {
      lengths.push(length)
      if (length > FUNCTION_LINES_MAX) {
        const message = `${name} has ${length} lines: name what its parts do and make them functions (${FUNCTION_LINES_MAX} at most)`
        breaches.push({ path: file.path, line, message })
      } else if (length > FUNCTION_LINES) longFunctions.push(`${file.path}:${line} ${name} (${length})`)
    }
  }
  return { breaches, longFiles, longFunctions, medianFunctionLines: median(lengths) }
}

interface Measured {
  readonly name: string
  readonly line: number
  readonly length: number
}

function functionsIn({ text, program }: Source): Measured[] {
  const found: Measured[] = []
  walk(program, (node, around) => {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return
    const parent = around.at(-1)
    // What holds tests holds them as a folder holds files: it is not read as one.
    if (holdsTests(node)) return
    const line = lineAt(text, node.start)
    found.push({ name: nameOf(node, parent), line, length: lineAt(text, node.end) - line + 1 })
  })
  return found
}

function holdsTests(node: Node): boolean {
  const statements = isNode(node.body) && Array.isArray(node.body.body) ? node.body.body.filter(isNode) : []
  return statements.some(({ expression }) => {
    if (!isNode(expression) || expression.type !== 'CallExpression' || !isNode(expression.callee)) return false
    return ['test', 'it', 'describe'].includes(calledName(expression.callee))
  })
}

function nameOf(node: Node, parent: Node | undefined): string {
  for (const named of [node.id, parent?.id, parent?.key]) {
    if (isNode(named) && typeof named.name === 'string') return named.name
  }
  if (parent?.type === 'CallExpression' && isNode(parent.callee))
    return `the function given to ${calledName(parent.callee)}`
  return 'a function'
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
