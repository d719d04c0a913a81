/** @file Finds the fastest TensorFlow.js backend that can run a program eagerly. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as util from 'node:util';
import * as tf from '@tensorflow/tfjs';

/**
 * Loads `@tensorflow/tfjs-node` where it is installed: beside this package, or in the folder of the user's model.
 * @returns whether the backend 'tensorflow' is registered
 */
export function loadTensorFlowBackend(directory: string): boolean {
  restoreRemovedUtil();
  for (const base of [import.meta.url, join(directory, 'package.json')]) {
    try {
      createRequire(base)('@tensorflow/tfjs-node');
      if (tf.findBackendFactory('tensorflow') !== null) return true;
    } catch {
      // Not installed here, or built for another Node: the next backend serves.
    }
  }
  return false;
}

/** tfjs-node 4.22 calls functions that Node 23 removed from `node:util`. */
function restoreRemovedUtil(): void {
  const removed: Record<string, (value: unknown) => boolean> = {
    isArray: Array.isArray,
    isNullOrUndefined: (value) => value === null || value === undefined,
    isString: (value) => typeof value === 'string',
  };
  const target = util as unknown as { default: Record<string, unknown> };
  for (const [name, test] of Object.entries(removed)) target.default[name] ??= test;
}

const uncaught = ['uncaughtException', 'unhandledRejection'] as const;

/** Loads the WebAssembly backend. */
export async function loadWasmBackend(): Promise<boolean> {
  const before = uncaught.map((event) => new Set(process.rawListeners(event)));
  try {
    await import('@tensorflow/tfjs-backend-wasm');
    return await tf.setBackend('wasm');
  } catch {
    return false;
  } finally {
    // Its glue code, by Emscripten, listens for errors of the whole process, and ends it with them.
    uncaught.forEach((event, i) => {
      for (const listener of process.rawListeners(event))
        if (!before[i].has(listener)) process.removeListener(event, listener as () => void);
    });
  }
}

/**
 * The first of 'tensorflow', 'wasm' and 'cpu' that loads and that `trial`, a step of the program, succeeds on.
 * @param directory folder of the user's model, where tfjs-node may be installed
 * @throws what the trial throws on 'cpu', which has all kernels: a mistake in the program
 */
export async function chooseEagerBackend(
  directory: string,
  trial: (backend: string) => Promise<void>,
): Promise<string> {
  const candidates: [string, () => boolean | Promise<boolean>][] = [
    ['tensorflow', () => loadTensorFlowBackend(directory)],
    ['wasm', loadWasmBackend],
  ];
  for (const [backend, load] of candidates) {
    if (!(await load())) continue;
    try {
      await trial(backend);
      return backend;
    } catch {
      // A kernel is missing there.
    }
  }
  await trial('cpu');
  return 'cpu';
}
