/**
 * @file A training step (forward, backward, Adam) as `deeptwist run` does it: an executor and the optimizer, on the
 * parameters in place.
 */
import { CompiledExecutor } from '../../../server/compiler/compiledExecutor.ts';
import { loadTensorFlowBackend, loadWasmBackend } from '../../../server/compiler/eagerBackend.ts';
import { EagerExecutor } from '../../../server/compiler/eagerExecutor.ts';
import type { Dataset } from '../../../server/data/dataset.ts';
import { loadModel } from '../../../server/models/loadModel.ts';
import { createOptimizer, optimizerArenaBytes } from '../../../server/optimizers/optimizer.ts';
import { experimentSchema } from '../../../server/protocol/config.ts';
import { modelProgram } from '../../../server/training/modelProgram.ts';
import { pixels, readBatches } from '../batches.ts';

export interface OurStep {
  readonly executor: string;
  /** Forward, backward and update with batch `index`, modulo their number. */
  step(index: number): Promise<void>;
  gradients(index: number): Promise<void>;
  update(): void;
  /** Copies a batch once more, to time that. */
  copyBatch(index: number): void;
}

/**
 * @param commandLine model, threads, batch file, batches, batch size, executor ('compiled', or the backend of the eager one:
 *   'wasm', 'cpu', 'tensorflow'), folder with tfjs-node
 */
export async function openOurStep(commandLine: readonly string[]): Promise<OurStep> {
  const [name, threads, file, counts, sizes, kind = 'compiled', tfjsNode = '.'] = commandLine;
  const [count, size] = [Number(counts), Number(sizes)];
  const { images, labels } = readBatches({ file, count, size });

  const { training } = experimentSchema.parse({
    model: `builtin:${name}`,
    data: { type: 'mnist', path: '.' },
    training: {
      optimizer: { type: 'adam' },
      batchSize: size,
      steps: 1,
      executor: 'compiled',
      threads: Number(threads),
    },
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
  const options = {
    seed: training.seed,
    extraBytes: (lengths: readonly number[]) => optimizerArenaBytes(training.optimizer, lengths),
  };
  if (kind === 'tensorflow' && !loadTensorFlowBackend(tfjsNode))
    throw new Error(`There is no tfjs-node in ${tfjsNode}.`);
  if (kind === 'wasm' && !(await loadWasmBackend())) throw new Error('The WebAssembly backend does not load.');
  const executor =
    kind === 'compiled'
      ? await CompiledExecutor.create(program, {
          ...options,
          batchSize: size,
          threads: Number(threads),
          rowGradients: false,
        })
      : new EagerExecutor(program, { ...options, backend: kind });
  const optimizer = createOptimizer(
    training.optimizer,
    training.clip,
    executor.parameters.arena,
    executor.parameters.list.filter(({ trainable }) => trainable),
  );
  const copy = new Float32Array(size * pixels);
  const gradients = async (index: number): Promise<void> => {
    const batch = index % count;
    const loss = await executor.step({ size, inputs: [images[batch]], targets: [labels[batch]] }, index);
    if (!Number.isFinite(loss)) throw new Error(`The loss of step ${index} is ${loss}.`);
  };
  const update = () => optimizer.step(training.optimizer.learningRate);
  return {
    executor: executor.description,
    async step(index) {
      await gradients(index);
      update();
    },
    gradients,
    update,
    copyBatch: (index) => copy.set(images[index % count]),
  };
}
