/** @file Holds a kernel's compiled results and gradients to TensorFlow.js's. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { CompiledExecutor } from '../../../../server/compiler/compiledExecutor.ts';
import { EagerExecutor } from '../../../../server/compiler/eagerExecutor.ts';
import type { StepBatch } from '../../../../server/compiler/program.ts';
import { expectClose } from '../expectClose.ts';
import { caseProgram, type KernelCase } from './kernelCase.ts';

/** Half the step of a difference quotient, exact in float32. */
const STEP = 0.5;

const settings = { seed: 1, stateBytes: () => 0 };

/** @throws when the kernel is not run, or a result or a gradient differs */
export async function compareCase(kernel: string, example: KernelCase): Promise<void> {
  const { program, inputs } = caseProgram(example);
  const batch: StepBatch = {
    size: 1,
    inputs: inputs.map((values, i) =>
      program.inputs[i].dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values),
    ),
    targets: [],
  };
  const eager = new EagerExecutor(program, { ...settings, backend: 'cpu' });
  const { differenceQuotients, untrainable } = example;
  const { kernelNames } = await tf.profile(async () => {
    if (!untrainable) await eager.step(batch, 0);
    await eager.evaluate(batch);
    return tf.scalar(0);
  });
  expect(kernelNames).toContain(kernel);

  const compiled = await CompiledExecutor.create(program, {
    ...settings,
    batchSize: 1,
    threads: 1,
    rowGradients: false,
  });
  await compiled.step(batch, 0);
  for (const { name, gradient } of compiled.parameters.list) {
    const expected =
      untrainable || (differenceQuotients && name.startsWith('operand'))
        ? await quotients(eager, batch, name)
        : (eager.parameters.byName.get(name)?.gradient as Float32Array);
    expectClose(`gradient of ${name}`, gradient as Float32Array, expected);
  }
  // TensorFlow.js fuses an activation only where no gradient is wanted.
  if (kernel.includes('Fused'))
    expectClose('evaluation', [(await compiled.evaluate(batch)).loss], [(await eager.evaluate(batch)).loss]);
  await compiled.dispose();
  tf.dispose(program.weights.map(({ variable }) => variable));
}

/** Difference quotients of the loss with respect to each element of a weight; exact where the loss is linear in it. */
async function quotients(eager: EagerExecutor, batch: StepBatch, name: string): Promise<number[]> {
  const value = eager.parameters.byName.get(name)?.value as Float32Array;
  const found: number[] = [];
  for (let i = 0; i < value.length; i++) {
    const original = value[i];
    value[i] = original + STEP;
    const above = (await eager.evaluate(batch)).loss;
    value[i] = original - STEP;
    const below = (await eager.evaluate(batch)).loss;
    value[i] = original;
    found.push((above - below) / (2 * STEP));
  }
  return found;
}
