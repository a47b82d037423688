import { type Breach, isNode, lineAt, type Source, type TextFile, walk } from './sources.ts'

const UNFINISHED = 'finish it, or say plainly in the README what is not there'

/** Words of unfinished work. One letter of each stands in brackets, so that this file does not break its own law. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bTO[D]O\b/, UNFINISHED],
  [/\bFI[X]ME\b/, UNFINISHED],
  [/\bXX[X]\b/, UNFINISHED],
  [/\bHAC[K]\b/i, 'say why it has to be so, and what it works around'],
  [/\bst[u]bs?\b/i, 'build the real thing, or call it what it is, such as a simulated meter'],
  [/\bplaceh[o]lders?\b/i, UNFINISHED],
  [/\bfor n[o]w\b/i, 'what is for a while stays for ever: build it as it shall stay'],
  [/\bsimplif[i]ed\b/i, UNFINISHED],
  [/\bd[u]mmy\b/i, 'call it what it is, such as a simulated meter'],
  [/\blorem ips[u]m\b/i, 'write what shall stand there'],
]

/** Words that say that something is not finished. */
export function unfinishedWords({ path, text }: TextFile): readonly Breach[] {
  return text.split('\n').flatMap((line, at) =>
    WORDS.flatMap(([word, way]) => {
      const found = word.exec(line)?.[0]
      return found === undefined ? [] : [{ path, line: at + 1, message: `"${found}": ${way}` }]
    }),
  )
}

const SWITCHED_OFF: Readonly<Record<string, string>> = {
  skip: 'mend the test or remove it; what needs a tool of Debian asks for it with tests/system/needs.ts',
  only: 'let all tests run',
  todo: 'write the test or leave it out',
  fails: 'mend what it tests',
}
const RUNNERS = ['test', 'it', 'describe']

/** Tests that do not run or say nothing, and errors that nobody sees. */
export function hiddenFailures({ path, text, program }: Source): readonly Breach[] {
  const breaches: Breach[] = []
  const tell = (offset: number, message: string): void => {
    breaches.push({ path, line: lineAt(text, offset), message })
  }
  walk(program, (node) => {
    if (node.type === 'CatchClause' && isNode(node.body) && isEmpty(node.body.body)) {
      tell(node.start, 'an empty catch hides errors: handle the one that is meant, throw the others')
    }
    if (node.type !== 'MemberExpression' || !isNode(node.object) || !isNode(node.property)) return
    const name = String(node.property.name)
    if (name === 'toBeTruthy' || name === 'toBeFalsy') {
      tell(node.start, `${name}() is content with almost anything: say which value is right`)
    }
    if (RUNNERS.includes(String(node.object.name)) && Object.hasOwn(SWITCHED_OFF, name)) {
      tell(node.start, `${String(node.object.name)}.${name}: ${SWITCHED_OFF[name]}`)
    }
  })
  return breaches
}

function isEmpty(body: unknown): boolean {
  return Array.isArray(body) && body.length === 0
}

const VAGUE = /(^|\/)(utils?|helpers?|common|misc|shared|lib|types|constants)\.ts$/

/** Files without a noun, and files that only pass on what others have. */
export function namelessFiles({ path, text, module }: Source): readonly Breach[] {
  const breaches: Breach[] = []
  if (VAGUE.test(path))
    breaches.push({ path, line: 1, message: 'a file is one noun: put each thing where its noun is' })
  if (path.endsWith('/index.ts') && path !== 'drivers/index.ts') {
    breaches.push({ path, line: 1, message: 'no index files: import from the file where the thing stands' })
  }
  for (const { entries, start } of module.staticExports) {
    if (!entries.some(({ moduleRequest }) => moduleRequest !== null)) continue
    breaches.push({
      path,
      line: lineAt(text, start),
      message: 'nothing is passed on: import from where the thing stands',
    })
  }
  return breaches
}
