import { type Breach, calledName, isNode, lineAt, type Node, type Source, walk } from './sources.ts'

/** What fails when something is not as it should be; `eventually` fails when what it waits for does not come. */
const EXPECTATIONS = ['expect', 'assert', 'eventually']

/** Tests that pass whatever happens: neither they nor the functions of the tests that they call expect anything. */
export function silentTests(sources: readonly Source[]): readonly Breach[] {
  const tests = sources.filter(({ path }) => path.startsWith('tests/'))
  const expecting = expectingFunctions(tests)
  return tests.flatMap((file) => {
    const breaches: Breach[] = []
    walk(file.program, (node, around) => {
      const body = testBody(node)
      // What a function is given to run, such as the part of a contract, is expected to expect.
      const given = new Set(around.flatMap(({ params }) => (Array.isArray(params) ? params.map(parameterName) : [])))
      if (body === undefined || [...callsIn(body)].some((name) => expecting.has(name) || given.has(name))) return
      const message = 'a test without an expectation passes whatever happens: say what is right'
      breaches.push({ path: file.path, line: lineAt(file.text, node.start), message })
    })
    return breaches
  })
}

/** Names of functions that expect something, themselves or by others that do. */
function expectingFunctions(sources: readonly Source[]): ReadonlySet<string> {
  const calls = new Map<string, Set<string>>()
  for (const { program } of sources) {
    walk(program, (node, around) => {
      if (!/Function/.test(node.type)) return
      const parent = around.at(-1)
      const named = [node.id, parent?.id, parent?.key].find((part) => isNode(part) && typeof part.name === 'string')
      if (!isNode(named)) return
      const name = String(named.name)
      calls.set(name, new Set([...(calls.get(name) ?? []), ...callsIn(node)]))
    })
  }
  const expecting = new Set(EXPECTATIONS)
  for (let before = 0; before !== expecting.size; ) {
    before = expecting.size
    for (const [name, called] of calls) if ([...called].some((other) => expecting.has(other))) expecting.add(name)
  }
  return expecting
}

/** The function that is given to `test(...)`, `test.each(...)(...)` or `test.runIf(...)(...)`. */
function testBody({ type, callee, ...call }: Node): Node | undefined {
  if (type !== 'CallExpression' || !isNode(callee) || !['test', 'it'].includes(calledName(callee))) return undefined
  return (call.arguments as readonly Node[]).find((argument) => argument.type.includes('Function'))
}

function callsIn(node: Node): ReadonlySet<string> {
  const names = new Set<string>()
  walk(node, ({ type, callee }) => {
    if (type !== 'CallExpression' || !isNode(callee)) return
    names.add(calledName(callee))
    if (isNode(callee.property) && typeof callee.property.name === 'string') names.add(callee.property.name)
  })
  return names
}

function parameterName(parameter: unknown): string {
  return isNode(parameter) ? String(parameter.name ?? '') : ''
}
