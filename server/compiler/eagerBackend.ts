/** @file Finds the fastest TensorFlow.js backend that can run a program eagerly. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as util from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { checkWindows } from './import/convolution.ts';

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

const WASM = 'wasm';
const uncaught = ['uncaughtException', 'unhandledRejection'] as const;

/** Loads the WebAssembly backend. */
export async function loadWasmBackend(): Promise<boolean> {
  const before = uncaught.map((event) => new Set(process.rawListeners(event)));
  try {
    await import('@tensorflow/tfjs-backend-wasm');
    if (!(await tf.setBackend(WASM))) return false;
    refuseWrongResults();
    return true;
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

/** Kernels of the WebAssembly backend that take truth values, of one byte each, for what they are. */
const takesBooleans: ReadonlySet<string> = new Set([
  ...['Identity', 'Cast', 'Reshape', 'ExpandDims', 'ZerosLike', 'OnesLike', 'Slice', 'Transpose'],
  ...['LogicalAnd', 'LogicalOr', 'LogicalNot', 'Equal', 'NotEqual', 'All', 'Any'],
]);

/** True for a kernel of the WebAssembly backend that computes wrongly with truth values. */
function misreadsBooleans(
  name: string,
  inputs: tf.NamedTensorInfoMap,
  attributes: tf.NamedAttrMap | undefined,
): boolean {
  const isBoolean = (input: tf.TensorInfo | undefined) => input?.dtype === 'bool';
  // It would keep 2 as it is, and -0.5 as 0.
  if (name === 'Cast' && attributes?.dtype === 'bool') return !isBoolean(inputs.x);
  if (name === 'Select') return isBoolean(inputs.t) || isBoolean(inputs.e);
  return !takesBooleans.has(name) && Object.values(inputs).some(isBoolean);
}

let refusesWrongResults = false;

/**
 * Lets kernels throw where they would compute wrongly (tfjs-backend-wasm 4.22). With truth values some read four bytes for each, beyond
 * the end, give any result, or never end. Convolutions and poolings compute the windows that fit in the image, and leave what is
 * in the memory of a result that TensorFlow.js made larger or wider: rounded up, or with the filter's height for its width.
 */
function refuseWrongResults(): void {
  if (refusesWrongResults) return;
  refusesWrongResults = true;
  for (const config of tf.getKernelsForBackend(WASM)) {
    const { kernelName, kernelFunc } = config;
    tf.unregisterKernel(kernelName, WASM);
    tf.registerKernel({
      ...config,
      kernelFunc(call) {
        if (misreadsBooleans(kernelName, call.inputs, call.attrs))
          throw new Error(`Kernel '${kernelName}' of backend '${WASM}' does not take booleans`);
        checkWindows(kernelName, call.inputs, call.attrs);
        return kernelFunc(call);
      },
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
    [WASM, loadWasmBackend],
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
