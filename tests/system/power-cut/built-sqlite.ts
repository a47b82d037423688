import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * Loaded into the writer before its own code, and into its threads: SQLite as it was built for the test
 * (`config/build-sqlite.sh`), in place of the binary that the package brings. LINLI_TEST_SQLITE names it.
 */
const require = createRequire(import.meta.url)
const binding = require(join(dirname(require.resolve('better-sqlite3')), 'binding.js'))
const built = require(process.env.LINLI_TEST_SQLITE ?? '')
binding.getBinding = () => built
