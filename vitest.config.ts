import { defineConfig } from 'vitest/config';
import { PATIENCE, TEST_TIMEOUT } from './scripts/patience.js';

/** What a test waits for may come late on a busy machine. */
const timeouts = {
  testTimeout: TEST_TIMEOUT,
  hookTimeout: TEST_TIMEOUT,
  expect: { poll: { timeout: PATIENCE } },
};

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          pool: 'forks',
          maxWorkers: 2,
          ...timeouts,
        },
      },
      {
        // In a real browser: one window at a time, in the order of the tests.
        test: {
          name: 'browser',
          include: ['test/webview/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          pool: 'forks',
          maxWorkers: 1,
          fileParallelism: false,
          ...timeouts,
        },
      },
    ],
  },
});
