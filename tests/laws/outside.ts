import { importsOf } from './imports.ts'
import { type Breach, isNode, lineAt, type Node, type Source, walk } from './sources.ts'

/** Where the outside may be asked: its adapters, the simulated world, the command line, and tests. */
const ALLOWED = [/^gateway\/io\//, /^gateway\/cli(\.ts$|\/)/, /^hardware-sim\//, /^tests\//]

const TIME = 'take the time from a `Clock` parameter (gateway/contract/clock.ts)'
const TIMER = 'take `clock.sleep` or `clock.after` of a `Clock` parameter (gateway/contract/clock.ts)'
const CHANCE = 'take a `Random` parameter (gateway/contract/io.ts)'
const SPEECH = 'take a `Log` parameter (gateway/contract/log.ts)'

const GLOBALS: Readonly<Record<string, string>> = {
  setTimeout: TIMER,
  setInterval: TIMER,
  setImmediate: TIMER,
  clearTimeout: TIMER,
  clearInterval: TIMER,
  console: SPEECH,
}
const MEMBERS: Readonly<Record<string, string>> = {
  'Date.now': TIME,
  'performance.now': TIME,
  'process.hrtime': TIME,
  'process.uptime': TIME,
  'AbortSignal.timeout': TIMER,
  'Math.random': CHANCE,
  'crypto.randomUUID': CHANCE,
  'crypto.getRandomValues': CHANCE,
  'crypto.randomBytes': CHANCE,
  'crypto.randomInt': CHANCE,
  'process.stdout': SPEECH,
  'process.stderr': SPEECH,
}
const CRYPTO_CHANCE = /^(random\w*|getRandomValues|webcrypto|generateKey\w*)$/

/** Clocks, timers, chance and speech that no test can hold still. */
export function touchesOutside(file: Source): readonly Breach[] {
  const { path, text, program } = file
  if (ALLOWED.some((place) => place.test(path))) return []
  const breaches: Breach[] = importsOf(file).flatMap(({ specifier, names, line }) => {
    const chance = specifier === 'node:crypto' ? names.filter((name) => CRYPTO_CHANCE.test(name)) : []
    return chance.map((name) => ({ path, line, message: `${name} of node:crypto: ${CHANCE}` }))
  })
  walk(program, (node, around) => {
    const found = reach(node, around.at(-1))
    if (found !== undefined)
      breaches.push({ path, line: lineAt(text, node.start), message: `${found[0]}: ${found[1]}` })
  })
  return breaches
}

function reach(node: Node, parent: Node | undefined): readonly [string, string] | undefined {
  if (node.type === 'NewExpression' || node.type === 'CallExpression') {
    const isDate = isNode(node.callee) && node.callee.type === 'Identifier' && node.callee.name === 'Date'
    return isDate && (node.arguments as readonly unknown[]).length === 0 ? ['Date() without a time', TIME] : undefined
  }
  if (node.type === 'MemberExpression') {
    const name = memberName(node)
    const way = name === undefined ? undefined : MEMBERS[name]
    return name === undefined || way === undefined ? undefined : [name, way]
  }
  if (node.type !== 'Identifier' || parent === undefined || isOnlyAName(node, parent)) return undefined
  const way = Object.hasOwn(GLOBALS, String(node.name)) ? GLOBALS[String(node.name)] : undefined
  return way === undefined ? undefined : [String(node.name), way]
}

/** `Date.now` and `globalThis.Date.now`. */
function memberName({ object, property }: Node): string | undefined {
  if (!isNode(object) || !isNode(property)) return undefined
  const owner = object.type === 'MemberExpression' && isNode(object.property) ? object.property.name : object.name
  return typeof owner === 'string' ? `${owner}.${String(property.name ?? property.value)}` : undefined
}

/** The name of a key, a member or a type, and not the thing itself; `globalThis.setTimeout` is the thing. */
function isOnlyAName(node: Node, parent: Node): boolean {
  if (parent.type === 'MemberExpression' && parent.property === node && parent.computed !== true) {
    return !(isNode(parent.object) && ['globalThis', 'global', 'window'].includes(String(parent.object.name)))
  }
  if (parent.type === 'Property' && parent.key === node) return true
  return /^(TS|PropertyDefinition|MethodDefinition|ImportSpecifier)/.test(parent.type)
}
