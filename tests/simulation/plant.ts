import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MUTANTS } from './mutants.ts'

/** Preloaded: the bug that LINLI_MUTANT names is planted into its files as they are loaded. A text that is not there any more is an error. */
const wanted = process.env.LINLI_MUTANT
const mutant = MUTANTS.find(({ name }) => name === wanted)
if (mutant === undefined) throw new Error(`there is no mutant ${wanted}`)
const planted = new Map<string, string>()
for (const { file, from, to } of [mutant, ...(mutant.also === undefined ? [] : [mutant.also])]) {
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url))
  const url = pathToFileURL(path).href
  const source = planted.get(url) ?? readFileSync(path, 'utf8')
  if (!source.includes(from)) throw new Error(`${file} does not hold the text of mutant "${mutant.name}" any more`)
  planted.set(url, source.replace(from, to))
}

registerHooks({
  load(loaded, context, next) {
    const source = planted.get(loaded)
    if (source === undefined) return next(loaded, context)
    return { format: 'module-typescript', source, shortCircuit: true }
  },
})
