/**
 * @file A training step (forward, backward, update) as `deeptwist run` does it: an executor and the optimizer, on the
 * parameters in place.
 */
import { CompiledExecutor } from '../../../server/compiler/compiledExecutor.ts';
import { loadTensorFlowBackend, loadWasmBackend } from '../../../server/compiler/eagerBackend.ts';
import { EagerExecutor } from '../../../server/compiler/eagerExecutor.ts';
import type { PassName } from '../../../server/compiler/optimize.ts';
import { planCompression } from '../../../server/compression/plan.ts';
import { Vocabulary } from '../../../server/data/text/vocabulary.ts';
import { loadModel } from '../../../server/models/loadModel.ts';
import { modelWeights } from '../../../server/models/modelWeights.ts';
import { placedCompressions } from '../../../server/protocol/experiment/compressions.ts';
import { KernelThreads } from '../../../server/optimizers/kernelThreads.ts';
import { experimentSchema, type ModelReference } from '../../../server/protocol/experiment/schema.ts';
import { createUpdate, executorNeeds } from '../../../server/training/trainer.ts';
import { modelProgram, type Lesson } from '../../../server/training/modelProgram.ts';
import { readBatches, type Batches } from '../batches.ts';

export interface OurStepOptions {
  /** Paths start from the checkout. */
  readonly model: ModelReference;
  /** Settings of an experiment, as its file has them. */
  readonly training: Readonly<Record<string, unknown>>;
  readonly batches: Batches;
  readonly threads: number;
  /** 'compiled', or the backend of the eager executor. */
  readonly executor: 'compiled' | 'wasm' | 'cpu' | 'tensorflow';
  /** Folder with tfjs-node. */
  readonly tfjsNode?: string;
  /** `distillation` of an experiment, whose teacher is a model as it is initialized; its outputs are logits. */
  readonly distillation?: { readonly teacher: ModelReference } & Readonly<Record<string, unknown>>;
  /** `compression` of an experiment, without distortions: what its policy does before and after each step. */
  readonly compression?: Readonly<Record<string, unknown>>;
  /** What the compiler is to leave out. */
  readonly without?: readonly (PassName | 'row-gradients')[];
}

export interface OurStep {
  readonly executor: string;
  /** Forward, backward and update with batch `index`, modulo their number. */
  step(index: number): Promise<void>;
  gradients(index: number): Promise<void>;
  update(): Promise<void>;
  /** Copies a batch once more, to time that. */
  copyBatch(index: number): void;
}

/** More than any measurement has. */
const STEPS = 1e9;

export async function openOurStep(options: OurStepOptions): Promise<OurStep> {
  const { batches, threads, without = [] } = options;
  const { inputs, targets } = readBatches(batches);
  const experiment = experimentSchema.parse({
    model: options.model,
    data: { type: 'mnist', path: '.' }, // unused, but an experiment has some
    training: { ...options.training, batchSize: batches.size, steps: STEPS },
    ...(options.distillation && { distillation: { ...options.distillation, teacher: 'run:initialized' } }),
    ...(options.compression && { compression: options.compression }),
  });
  const { model, training, distillation } = experiment;
  const samples = {
    inputs: [batches.input],
    targets: [batches.target],
    ...(batches.vocabulary !== undefined && { vocabulary: madeUpVocabulary(batches.vocabulary) }),
  };
  const { seed } = training;
  const load = (reference: ModelReference) =>
    loadModel(reference, { baseDirectory: '.', seed, samples: { batchSize: batches.size, ...samples } });
  const loaded = await load(model);
  const lesson = async (): Promise<Lesson | undefined> => {
    if (!distillation || !options.distillation) return undefined;
    const { model: teacher } = await load(options.distillation.teacher);
    const inputs = [{ shape: teacher.inputs[0].shape.slice(1) as number[], dtype: batches.input.dtype }];
    const found = { model: teacher, weights: modelWeights(teacher), layers: teacher.layers, inputs };
    return { config: distillation, teacher: { ...found, kind: 'logits' } };
  };
  const program = modelProgram(loaded, samples, training, { lesson: await lesson() });
  const named = modelWeights(loaded.model);
  const compressions = placedCompressions(experiment);
  const plan = compressions.length > 0 ? planCompression(compressions, named, { steps: STEPS, seed }) : undefined;
  const needs = executorNeeds(training, plan);
  if (options.executor === 'tensorflow' && !loadTensorFlowBackend(options.tfjsNode ?? '.'))
    throw new Error(`There is no tfjs-node in ${options.tfjsNode}.`);
  if (options.executor === 'wasm' && !(await loadWasmBackend()))
    throw new Error('The WebAssembly backend does not load.');
  const executor =
    options.executor === 'compiled'
      ? await CompiledExecutor.create(program, {
          ...needs,
          seed,
          batchSize: batches.size,
          threads,
          rowGradients: needs.rowGradients && !without.includes('row-gradients'),
          skippedPasses: new Set(without.filter((name) => name !== 'row-gradients')),
          updates: true,
        })
      : new EagerExecutor(program, { seed, ...needs, backend: options.executor });
  const { parameters } = executor;
  const { compressor, optimizer } = await createUpdate(training, {
    named,
    parameters,
    plan,
    threads: new KernelThreads(parameters.threads),
  });
  const copy = inputs[0].slice();
  const gradients = async (index: number): Promise<void> => {
    const batch = index % batches.count;
    const data = { size: batches.size, inputs: [inputs[batch]], targets: [targets[batch]] };
    const { loss } = await executor.step(data, index);
    if (!Number.isFinite(loss)) throw new Error(`The loss of step ${index} is ${loss}.`);
  };
  const update = async () => optimizer.step(training.optimizer.learningRate);
  return {
    executor: executor.description,
    async step(index) {
      await compressor?.beforeStep(index + 1);
      await gradients(index);
      await compressor?.pull();
      await update();
      await compressor?.push();
    },
    gradients,
    update,
    copyBatch: (index) => copy.set(inputs[index % batches.count]),
  };
}

function madeUpVocabulary(count: number): Vocabulary {
  return new Vocabulary(Array.from({ length: count }, (_, number) => (number === 0 ? '<unk>' : `word${number}`)));
}
