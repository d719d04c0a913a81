/** @file Prepares a training step and an evaluation as a run does, and tells what each part of it takes: one JSON object. */
import * as tf from '@tensorflow/tfjs';
import { channelBlock } from '../../../server/compiler/channelBlock.ts';
import { topologicalOrder, type Graph } from '../../../server/compiler/ir.ts';
import { lowerGraph } from '../../../server/compiler/lower/lowerGraph.ts';
import { optimize } from '../../../server/compiler/optimize.ts';
import { BoundSession } from '../../../server/compiler/session.ts';
import { traceEvaluation, traceTraining } from '../../../server/compiler/trace/traceProgram.ts';
import type { TensorSpec } from '../../../server/data/dataset.ts';
import { loadModel } from '../../../server/models/loadModel.ts';
import { experimentSchema } from '../../../server/protocol/experiment/schema.ts';
import { modelProgram } from '../../../server/training/modelProgram.ts';

export interface StartUpOptions {
  /** Path from the checkout. */
  readonly model: string;
  readonly input: TensorSpec;
  readonly target: TensorSpec;
  readonly batchSize: number;
}

/** Seconds of this process's processor time, and how large the graphs are. */
export interface StartUp {
  readonly seconds: Readonly<Record<StartUpPart, number>>;
  readonly nodes: { readonly trained: number; readonly evaluated: number };
}

const parts = ['load', 'trace', 'optimize', 'lower', 'session'] as const;
type StartUpPart = (typeof parts)[number];

async function main({ model, input, target, batchSize }: StartUpOptions): Promise<StartUp> {
  await tf.setBackend('cpu');
  const seconds = Object.fromEntries(parts.map((part) => [part, 0])) as Record<StartUpPart, number>;
  const timed = async <T>(part: StartUpPart, work: () => T | Promise<T>): Promise<T> => {
    const before = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(before);
    seconds[part] += (user + system) / 1e6;
    return result;
  };
  const { training } = experimentSchema.parse({
    model,
    data: { type: 'mnist', path: '.' }, // unused, but an experiment has some
    training: {
      optimizer: { type: 'adam' },
      loss: 'sparse-categorical-crossentropy-from-logits',
      batchSize,
      steps: 1,
    },
  });
  const samples = { inputs: [input], targets: [target] };
  const loaded = await timed('load', () =>
    loadModel(model, { baseDirectory: '.', seed: 1, samples: { batchSize, ...samples } }),
  );
  const program = modelProgram(loaded, samples, training);
  const prepare = async (trace: () => Promise<Graph>): Promise<number> => {
    const traced = await timed('trace', trace);
    const graph = await timed('optimize', () => optimize(traced));
    const block = await channelBlock();
    const lowered = await timed('lower', () => lowerGraph(graph, { channelBlock: block }));
    await timed('session', () => BoundSession.create(lowered, new Map(), { threads: 1, spinning: false }));
    return topologicalOrder(graph).length;
  };
  const trained = await prepare(() => traceTraining(program, batchSize));
  const evaluated = await prepare(() => traceEvaluation(program, batchSize));
  return { seconds, nodes: { trained, evaluated } };
}

console.log(JSON.stringify(await main(JSON.parse(process.argv[2]) as StartUpOptions)));
