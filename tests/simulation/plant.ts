import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MUTANTS } from './mutants.ts'

/** Preloaded: the bug that LINLI_MUTANT names is planted into its file as that is loaded. A text that is not there any more is an error. */
const wanted = process.env.LINLI_MUTANT
const mutant = MUTANTS.find(({ name }) => name === wanted)
if (mutant === undefined) throw new Error(`there is no mutant ${wanted}`)
const url = new URL(`../../${mutant.file}`, import.meta.url)
const source = readFileSync(fileURLToPath(url), 'utf8')
if (!source.includes(mutant.from))
  throw new Error(`${mutant.file} does not hold the text of mutant "${mutant.name}" any more`)
const planted = source.replace(mutant.from, mutant.to)

registerHooks({
  load(loaded, context, next) {
    if (loaded !== pathToFileURL(fileURLToPath(url)).href) return next(loaded, context)
    return { format: 'module-typescript', source: planted, shortCircuit: true }
  },
})
