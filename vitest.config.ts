import { defineConfig } from 'vitest/config';
import { PATIENCE, TEST_TIMEOUT } from './scripts/patience.js';
import { softwareVulkan } from './scripts/softwareVulkan.js';

/** What a test waits for may come late on a busy machine. */
const timeouts = {
  testTimeout: TEST_TIMEOUT,
  hookTimeout: TEST_TIMEOUT,
  expect: { poll: { timeout: PATIENCE } },
};

const inProcesses = { pool: 'forks', maxWorkers: 2, ...timeouts } as const;

/** Each in a process of its own: tests that start processes, count what is left, or replace modules. */
const alone = [
  'test/unit/{cli,commandClient,examples,extension,fuzz,house,inspect,latency,mcp,runs,scripts,sidecar,sidecarClient,sweeps}/**/*.test.ts',
  // TensorFlow.js adds a number to the name of a weight that the process has had before.
  'test/unit/compiler/passes/snapshots.test.ts',
];

export default defineConfig({
  test: {
    reporters: ['default'],
    globalSetup: 'test/sharedInstallation.ts',
    projects: [
      {
        // Several files in one process, one after the other: what they share is loaded, and made quick by V8, once.
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: alone,
          isolate: false,
          ...inProcesses,
        },
      },
      {
        test: {
          name: 'alone',
          include: alone,
          ...inProcesses,
        },
      },
      {
        // On a graphics processor that is computed by the processor: the browser's, whose loader has to be on the path of libraries.
        test: {
          name: 'webgpu',
          include: ['test/webgpu/**/*.test.ts'],
          isolate: false,
          env: softwareVulkan(),
          ...inProcesses,
          maxWorkers: 1,
          // Behind the others: Vitest wants one number of workers for all that run at once.
          sequence: { groupOrder: 1 },
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
