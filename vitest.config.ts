import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { PATIENCE, RETRIES, TEST_TIMEOUT } from './scripts/patience.js';
import { softwareVulkan } from './scripts/softwareVulkan.js';

/** What a test waits for may come late on a busy machine. */
const patience = {
  retry: RETRIES,
  testTimeout: TEST_TIMEOUT,
  hookTimeout: TEST_TIMEOUT,
  expect: { poll: { timeout: PATIENCE } },
};

/** Three, since many tests wait for a process or for the disk. */
const inProcesses = { pool: 'forks', maxWorkers: 3, ...patience } as const;

/** Files that take long and are small: Vitest, which begins with the largest, would end with them, when nothing else is left to do beside them. */
const long = /\/test\/unit\/(?:fuzz|latency|mcp|sidecar|sweeps)\/|\/killedRuns\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => long.test(moduleId);
    return [...sorted.filter((file) => isLong(file)), ...sorted.filter((file) => !isLong(file))];
  }
}

/** Each in a process of its own: tests that replace modules or what a process has, measure its memory, or look at all processes of a run. */
const alone = [
  'test/unit/{fuzz,latency,scripts,sidecar,sidecarClient}/**/*.test.ts',
  'test/unit/cli/{interrupt,telemetry}.test.ts',
  'test/unit/commandClient/runCommand.test.ts',
  // They replace `vscode`.
  'test/unit/extension/{messages,notifications,restrictedMode}.test.ts',
  'test/unit/extension/{agents,cli,newExperiment,walkthrough}/*.test.ts',
  'test/unit/extension/commands/{commandTargets,controlCommands,experimentProblems,fileCommands}.test.ts',
  'test/unit/extension/commands/{deleteRun,helpCommands,keptCopies,sweepCommands}.test.ts',
  'test/unit/extension/experiments/experimentsTree.test.ts',
  'test/unit/extension/language/languageStatus.test.ts',
  'test/unit/extension/runs/{alikeNames,contextKeys,experimentFiles,launcher,sweptRuns}.test.ts',
  'test/unit/extension/dashboard/runFeed.test.ts',
  'test/unit/extension/modelFiles/spectrumProcess.test.ts',
  'test/unit/inspect/largeFile.test.ts',
  'test/unit/mcp/{agents,nonsense,transcript}.test.ts',
  // It measures time of the processor, which doubles in a process that has run other tests.
  'test/unit/protocol/run/foldTime.test.ts',
  'test/unit/runs/{endedMeanwhile,workspaceFile}.test.ts',
  'test/unit/sweeps/{halvingSweeps,killedSweeps,optuna,searches,severalHosts}.test.ts',
  'test/unit/sweeps/slurm/slurmQueue.test.ts',
  // TensorFlow.js adds a number to the name of a weight that the process has had before.
  'test/unit/compiler/passes/snapshots.test.ts',
];

export default defineConfig({
  test: {
    reporters: ['default'],
    globalSetup: 'test/sharedInstallation.ts',
    sequence: { sequencer: LongestFirst },
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
          ...patience,
        },
      },
    ],
  },
});
