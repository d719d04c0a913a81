/** @file PyTorch as a rival: a throw-away virtual environment in `.cache/bench/torch`, and the processes in it; numpy alone. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Batches } from './batches.ts';
import type { Contender } from './bench.ts';
import { startChild, type ChildOptions } from './child.ts';
import { cacheFolder, runCommand, succeeds } from './prepare.ts';

const scripts = join('test', 'bench', 'python');

/**
 * The interpreter of an environment that can import PyTorch, made where there is none. The default Linux wheel is built
 * with CUDA; where it does not load, `stub_cuda.py` gives it what its loader asks for (see there).
 */
export function preparePython(): string {
  const folder = cacheFolder('torch');
  const python = interpreterOf(folder);
  const loads = () => succeeds(python, ['-c', 'import numpy, torch, sympy, onnx']);
  if (existsSync(python) && loads()) return python;
  runCommand('python3', ['-m', 'venv', '--clear', folder]);
  const install = [...'-m pip install --quiet --disable-pip-version-check --no-deps'.split(' ')];
  runCommand(python, [...install, '-r', join(scripts, 'requirements.txt')]);
  if (!loads()) {
    runCommand(python, [...install, 'nvidia-cuda-runtime==13.2.86']);
    runCommand(python, [join(scripts, 'stub_cuda.py')]);
    runCommand(python, ['-c', 'import torch']);
  }
  return python;
}

/** The interpreter of an environment with numpy alone, made where there is none. */
export function prepareNumpy(): string {
  const folder = cacheFolder('numpy');
  const python = interpreterOf(folder);
  if (existsSync(python) && succeeds(python, ['-c', 'import numpy'])) return python;
  runCommand('python3', ['-m', 'venv', '--clear', folder]);
  const numpy = readFileSync(join(scripts, 'requirements.txt'), 'utf8').match(/^numpy==.+$/m)?.[0] ?? 'numpy';
  runCommand(python, [...'-m pip install --quiet --disable-pip-version-check'.split(' '), numpy]);
  return python;
}

function interpreterOf(environment: string): string {
  return process.platform === 'win32' ? join(environment, 'Scripts', 'python.exe') : join(environment, 'bin', 'python');
}

export interface TorchStepOptions {
  /** A name of step.py's MODELS. */
  readonly model: string;
  /** True for convolutions with the layout of memory that they are faster in. */
  readonly channelsLast: boolean;
  readonly threads: number;
  /** Implementation of Adam: `fused` is one pass over the parameters, `foreach` batches the elementwise steps. */
  readonly adam: 'foreach' | 'fused';
  readonly batches: Batches;
  /** Steps of a round. */
  readonly steps: number;
}

/** Exports a model of step.py as ONNX. @returns its path */
export function exportTorchModel(python: string, model: string): string {
  const path = join(cacheFolder('step-models'), `${model}.onnx`);
  runCommand(python, ['-W', 'ignore', join(scripts, 'step.py'), '--model', model, '--export', path]);
  return path;
}

/** A PyTorch process that does training steps (test/bench/python/step.py), in milliseconds a step. */
export function startTorchStep(python: string, options: TorchStepOptions): Promise<Contender> {
  const { model, threads, adam, batches, steps, channelsLast } = options;
  return startPython(python, 'step.py', {
    name: `PyTorch, ${adam} Adam${channelsLast ? ', channels last' : ''}`,
    options: { model, threads, adam, batches: batches.file, count: batches.count, size: batches.size },
    flags: channelsLast ? ['channels-last'] : [],
    steps,
  });
}

export interface PythonChildOptions extends Omit<ChildOptions, 'command' | 'arguments'> {
  readonly options: Readonly<Record<string, string | number>>;
  readonly flags?: readonly string[];
}

/** Starts a script of test/bench/python/ as a contender. */
export function startPython(
  python: string,
  script: string,
  { options, flags = [], ...child }: PythonChildOptions,
): Promise<Contender> {
  return startChild({
    ...child,
    command: python,
    arguments: [
      ...['-W', 'ignore', join(scripts, script)],
      ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      ...flags.map((flag) => `--${flag}`),
    ],
  });
}
