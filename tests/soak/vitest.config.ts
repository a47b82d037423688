import { defineConfig } from 'vitest/config'

/** `npm run test:soak`: what takes too long for every `npm test`, one test after the other. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['tests/soak/**/*.test.ts'],
    testTimeout: 3_600_000,
    maxWorkers: 1,
    fileParallelism: false,
  },
})
