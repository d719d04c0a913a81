/**
 * @file A training step (forward, backward, Adam) as `deeptwist run` does it: the compiled executor and the optimizer, on the
 * parameters in place. Arguments: model, threads, batch file, batches, batch size.
 */
import { CompiledExecutor } from '../../../server/compiler/compiledExecutor.ts';
import type { Dataset } from '../../../server/data/dataset.ts';
import { loadModel } from '../../../server/models/loadModel.ts';
import { createOptimizer, optimizerArenaBytes } from '../../../server/optimizers/optimizer.ts';
import { experimentSchema } from '../../../server/protocol/config.ts';
import { modelProgram } from '../../../server/training/modelProgram.ts';
import { pixels, readBatches } from '../batches.ts';
import { serveSteps } from './serveSteps.ts';

const [name, threads, file, ...numbers] = process.argv.slice(2);
const [count, size] = numbers.map(Number);
const { images, labels } = readBatches({ file, count, size });

const { training } = experimentSchema.parse({
  model: `builtin:${name}`,
  data: { type: 'mnist', path: '.' },
  training: { optimizer: { type: 'adam' }, batchSize: size, steps: 1, executor: 'compiled', threads: Number(threads) },
});
const samples = {
  inputs: [{ shape: [pixels], dtype: 'float32' }],
  targets: [{ shape: [], dtype: 'int32' }],
} satisfies Pick<Dataset, 'inputs' | 'targets'>;
const program = modelProgram(
  await loadModel(`builtin:${name}`, { baseDirectory: '.', seed: training.seed }),
  samples,
  training,
);
const executor = await CompiledExecutor.create(program, {
  batchSize: size,
  seed: training.seed,
  threads: Number(threads),
  rowGradients: false,
  extraBytes: (lengths) => optimizerArenaBytes(training.optimizer, lengths),
});
const optimizer = createOptimizer(
  training.optimizer,
  training.clip,
  executor.parameters.arena,
  executor.parameters.list.filter(({ trainable }) => trainable),
);

await serveSteps({ executor: executor.description }, async (index) => {
  const batch = index % count;
  const loss = await executor.step({ size, inputs: [images[batch]], targets: [labels[batch]] }, index);
  if (!Number.isFinite(loss)) throw new Error(`The loss of step ${index} is ${loss}.`);
  optimizer.step(training.optimizer.learningRate);
});
