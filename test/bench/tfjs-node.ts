/**
 * @file `@tensorflow/tfjs-node` as a rival. Its installer fetches libtensorflow from a host of its own, which a closed
 * machine cannot reach; PyPI's `tensorflow-cpu` wheel carries the same C library and its headers, so the addon (two C++
 * files against Node-API) is compiled against those.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Batches } from './batches.ts';
import type { Contender } from './bench.ts';
import { startNodeChild } from './child.ts';
import { cacheFolder, runCommand } from './prepare.ts';

const wheel = 'tensorflow-cpu==2.21.0';
const addon = '@tensorflow/tfjs-node@4.22.0';
const packageFolder = join('node_modules', '@tensorflow', 'tfjs-node');

/** The newest Node-API version that tfjs-node 4.22 looks for (`napi_versions` of its package.json). */
const napiVersion = 8;

/** A folder in which `@tensorflow/tfjs-node` can be required, made where there is none. Linux and g++ only. */
export function prepareTfjsNode(): string {
  const folder = cacheFolder('tfjs-node');
  const binding = join(folder, packageFolder, 'lib', `napi-v${napiVersion}`, 'tfjs_binding.node');
  if (existsSync(binding)) return folder;
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  runCommand('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', addon], folder);
  runCommand('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', join(folder, 'python'), wheel]);
  const tensorflow = join(folder, 'python', 'tensorflow');
  mkdirSync(dirname(binding), { recursive: true });
  runCommand('g++', [
    ...['-O2', '-std=c++17', '-shared', '-fPIC', `-DNAPI_VERSION=${napiVersion}`],
    ...['-I', join(dirname(dirname(process.execPath)), 'include', 'node')],
    ...['-I', join(tensorflow, 'include'), '-I', join(folder, packageFolder)],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(folder, packageFolder, 'binding', name)),
    ...['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'].map((name) => join(tensorflow, name)),
    ...[`-Wl,-rpath,${tensorflow}`, '-o', binding],
  ]);
  return folder;
}

/** How libtensorflow is told its number of threads, and to say less. */
export const tensorFlowEnvironment = (threads: number) => ({
  TF_NUM_INTRAOP_THREADS: String(threads),
  TF_NUM_INTEROP_THREADS: String(threads),
  OMP_NUM_THREADS: String(threads),
  TF_CPP_MIN_LOG_LEVEL: '2',
});

export interface TfjsNodeStepOptions {
  /** A built-in model of images. */
  readonly model: string;
  readonly threads: number;
  readonly batches: Batches;
  /** Steps of a round. */
  readonly steps: number;
}

/** A process that does training steps with tfjs-node (contenders/tfjsNodeStep.ts), in milliseconds a step. */
export function startTfjsNodeStep(folder: string, options: TfjsNodeStepOptions): Promise<Contender> {
  const { model, threads, batches, steps } = options;
  return startNodeChild({
    name: 'tfjs-node',
    entry: join('test', 'bench', 'contenders', 'tfjsNodeStep.ts'),
    script: join(folder, 'step.mjs'),
    arguments: [model, String(threads), JSON.stringify(batches)],
    environment: tensorFlowEnvironment(threads),
    steps,
  });
}
