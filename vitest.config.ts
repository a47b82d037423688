import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/soak/**', 'node_modules/**'],
    testTimeout: 20_000,
    // Two cores: the system tests start processes of their own.
    maxWorkers: 2,
  },
})
