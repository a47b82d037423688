import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * Loaded before everything else (`node --import`), in each thread: better-sqlite3 takes the binary that
 * `LINLI_SQLITE_BINDING` names, whichever it would have found by itself.
 */
const binding = process.env.LINLI_SQLITE_BINDING
if (binding === undefined) throw new Error('LINLI_SQLITE_BINDING: the path of a better_sqlite3.node is wanted')
registerHooks({
  resolve(specifier, context, next) {
    const asked = specifier.endsWith('.node') && context.parentURL?.includes('/better-sqlite3/') === true
    return asked ? { url: pathToFileURL(binding).href, format: 'addon', shortCircuit: true } : next(specifier, context)
  },
})
