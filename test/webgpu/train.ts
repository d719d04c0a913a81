/** @file Trains a network on a device. */
import { CompiledExecutor } from '../../server/compiler/compiledExecutor.ts';
import type { Device } from '../../server/compiler/device.ts';
import { createDeviceOptimizer } from '../../server/optimizers/deviceOptimizer.ts';
import { createOptimizer, optimizerArenaBytes } from '../../server/optimizers/optimizer.ts';
import type { TrainingConfig } from '../../server/protocol/experiment/schema.ts';
import { randomBatch } from '../unit/compiler/programs.ts';
import type { Network } from './networks.ts';

export interface Trained {
  /** By name. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** The loss of each step. */
  readonly losses: readonly number[];
  /** Time of each step. */
  readonly milliseconds: readonly number[];
  /** Bytes to the device and back in each step; 0 where they are not counted: weights go there and back. */
  readonly traffic: readonly number[];
  /** Bytes of what stays on the device: weights and the optimizer's state. */
  readonly kept: number;
  /** Bytes of what comes with a batch: samples, targets, and what stateful layers have from the batch before. */
  readonly batch: number;
}

export interface TrainOptions {
  readonly device: Device;
  readonly keepsWeights: boolean;
  readonly steps: number;
  readonly clip?: TrainingConfig['clip'];
  /** Told after each step. */
  readonly onStep?: (step: number) => void;
}

export async function train(
  { program, batchSize, classes, optimizer: config }: Network,
  { device, keepsWeights, steps, clip, onStep }: TrainOptions,
): Promise<Trained> {
  const executor = await CompiledExecutor.create(program, {
    ...{ batchSize, seed: 1, device, keepsWeights, threads: 1, rowGradients: false },
    stateBytes: (length) => optimizerArenaBytes(config, length),
  });
  const { parameters, memory } = executor;
  const trainables = parameters.list.filter(({ trainable }) => trainable);
  const optimizer = memory
    ? await createDeviceOptimizer(config, clip, memory, trainables)
    : createOptimizer(config, clip, trainables);
  const losses: number[] = [];
  const bytes = () => (memory ? memory.traffic.toDevice + memory.traffic.toHost : 0);
  const traffic: number[] = [];
  const milliseconds: number[] = [];
  for (let step = 0; step < steps; step++) {
    const before = bytes();
    const start = performance.now();
    const { loss } = await executor.step(randomBatch(program, batchSize, step % 5, classes), step);
    await optimizer.step(config.learningRate);
    milliseconds.push(performance.now() - start);
    losses.push(loss);
    traffic.push(bytes() - before);
    onStep?.(step);
  }
  await executor.claimWeights();
  const weights = new Map(parameters.list.map(({ name, value }) => [name, value.slice()]));
  await executor.dispose();
  const batch = randomBatch(program, batchSize, 0, classes);
  return {
    weights,
    losses,
    milliseconds,
    traffic,
    kept: bytesOf(parameters.list.map(({ value }) => value)) + bytesOf(optimizer.slots.values()),
    batch: bytesOf([...batch.inputs, ...batch.targets, ...executor.states.values()]),
  };
}

function bytesOf(arrays: Iterable<ArrayBufferView>): number {
  return Array.from(arrays).reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** The largest difference of two trainings, over all weights. */
export function largestDifference(a: Trained, b: Trained): number {
  let largest = 0;
  for (const [name, values] of a.weights) {
    const others = b.weights.get(name);
    if (others?.length !== values.length) throw new Error(`${name} has other values.`);
    values.forEach((value, i) => {
      const difference = Math.abs(value - others[i]);
      // What is not a number is as far from any number as can be.
      largest = difference <= largest ? largest : Number.isNaN(difference) ? Infinity : difference;
    });
  }
  return largest;
}
