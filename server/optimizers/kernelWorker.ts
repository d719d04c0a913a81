/** @file A thread that does jobs of kernels, until it is terminated. */
import { parentPort, workerData } from 'node:worker_threads';
import { instantiateKernels } from '../memory/instantiate.ts';
import { messageOf } from '../protocol/thrown.ts';
import { failJobs, waitForJobs, workOnJobs, type SharedJobs } from './kernelJobs.ts';
import type { OptimizerKernels } from './kernels.ts';

export interface KernelWorkerData {
  readonly jobs: SharedJobs;
  readonly module: WebAssembly.Module;
  readonly memories: readonly WebAssembly.Memory[];
}

const { jobs, module, memories } = workerData as KernelWorkerData;
// If it ends by itself, the others must not wait for its jobs.
process.on('exit', () => failJobs(jobs, 'it has ended'));
try {
  const kernels = memories.map((memory) => instantiateKernels<OptimizerKernels>(module, memory));
  parentPort?.postMessage('ready');
  for (let round = 0; ; round = waitForJobs(jobs, round)) workOnJobs(jobs, kernels);
} catch (error) {
  failJobs(jobs, messageOf(error));
}
