/** @file A model open in our runtime or in ONNX Runtime, timed input by input: the same code in Node.js and in a page. */
import type * as Ort from 'onnxruntime-node';
import type * as Runtime from '../../runtime/index.ts';
import type { OnnxGraph } from '../../server/formats/onnx.ts';

/** Share of a round's inputs that pass before it, uncounted. */
const WARM_UP = 0.25;

export interface OpenModel {
  /** What it computes of the first input, so that all are known to compute the same. */
  readonly first: Float32Array;
  /** Microseconds an input, the mean of so many inputs. */
  round(inputs: number): Promise<number>;
  close(): Promise<void>;
}

/** Microseconds a call. Nothing is awaited between two calls: no promise is part of the time. */
export function timeCalls(calls: number, run: () => unknown): number {
  for (let i = 0; i < Math.floor(WARM_UP * calls); i++) run();
  const start = performance.now();
  for (let i = 0; i < calls; i++) run();
  return (1000 * (performance.now() - start)) / calls;
}

async function timeAwaitedCalls(calls: number, run: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < Math.floor(WARM_UP * calls); i++) await run();
  const start = performance.now();
  for (let i = 0; i < calls; i++) await run();
  return (1000 * (performance.now() - start)) / calls;
}

/** @param isSequence whether an input is a step of a sequence, which the model goes on with */
export async function openInRuntime(
  { loadModel }: Pick<typeof Runtime, 'loadModel'>,
  file: Uint8Array,
  x: Float32Array,
  isSequence: boolean,
): Promise<OpenModel & { readonly weightBytes: number }> {
  const model = await loadModel(file);
  const run = () => (isSequence ? model.step(x) : model.predict(x));
  return {
    first: run()[0].slice(),
    weightBytes: model.memory.weights,
    round: (inputs) => Promise.resolve(timeCalls(inputs, run)),
    close: () => Promise.resolve(model.dispose()),
  };
}

/**
 * Opens an ONNX model with one thread.
 * @param ports its inputs: `x`, and states, which are zeros
 * @param result the name of the output that counts
 */
export async function openInOnnxRuntime(
  ort: Pick<typeof Ort, 'InferenceSession' | 'Tensor'>,
  model: Uint8Array,
  ports: OnnxGraph['inputs'],
  result: string,
  x: Float32Array,
): Promise<OpenModel> {
  const session = await ort.InferenceSession.create(model, {
    ...{ intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all' },
  });
  const feeds = Object.fromEntries(
    ports.map(({ name, shape }) => {
      const sizes = shape.map(Number);
      const data = name === 'x' ? x : new Float32Array(sizes.reduce((a, b) => a * b, 1));
      return [name, new ort.Tensor('float32', data, sizes)];
    }),
  );
  const { data } = (await session.run(feeds))[result];
  if (!(data instanceof Float32Array)) throw new TypeError('ONNX Runtime gave no float32.');
  return {
    first: data.slice(),
    round: (inputs) => timeAwaitedCalls(inputs, () => session.run(feeds)),
    close: () => session.release(),
  };
}
