import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/soak/**', 'node_modules/**'],
    // Of what hangs; a machine that has other work may take a multiple of what the slowest test needs.
    testTimeout: 60_000,
    // Two cores: the system tests start processes of their own.
    maxWorkers: 2,
  },
})
