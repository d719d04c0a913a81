/**
 * @file The page of the benchmark `inference-browser`: opens the models that its server has in our runtime, onnxruntime-web and
 * TensorFlow.js's WebAssembly backend, and times them. The benchmark calls its functions by `contenders.NAME`.
 */
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import type * as Ort from 'onnxruntime-node';
import type * as Runtime from '../../../runtime/index.ts';
import type { OnnxGraph } from '../../../server/formats/onnx.ts';
import { openInOnnxRuntime, openInRuntime, timeCalls, type OpenModel } from '../inferenceContenders.ts';

const opened: Pick<OpenModel, 'round'>[] = [];

/** A model that is open: its place for {@link round}, and what it computes of the first input. */
export interface Started {
  readonly place: number;
  readonly first: number[];
  /** The rival's version. */
  readonly version?: string;
}

function start(model: Pick<OpenModel, 'round' | 'first'>, version?: string): Started {
  return { place: opened.push(model) - 1, first: [...model.first], version };
}

/** Microseconds an input of an open model. */
export function round(place: number, inputs: number): Promise<number> {
  return opened[place].round(inputs);
}

const fetched = async (path: string) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: the server answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
};
const fetchedInput = async () => new Float32Array((await fetched('/x')).buffer);
/** Imports a module of the server; a constant path would be bundled. */
const served = (path: string): Promise<unknown> => import(path);

export async function startRuntime(isSequence: boolean): Promise<Started> {
  const runtime = (await served('/runtime/index.js')) as typeof Runtime;
  return start(await openInRuntime(runtime, await fetched('/packed'), await fetchedInput(), isSequence));
}

/** Opens the dense ONNX model at a path of the server. */
export async function startOnnxRuntime(path: string, ports: OnnxGraph['inputs'], result: string): Promise<Started> {
  const ort = (await served('/onnxruntime-web/ort.wasm.min.mjs')) as typeof Ort;
  ort.env.wasm.wasmPaths = '/onnxruntime-web/';
  ort.env.wasm.numThreads = 1;
  const model = await openInOnnxRuntime(ort, await fetched(path), ports, result, await fetchedInput());
  return start(model, ort.env.versions.web);
}

async function prepareTensorFlow() {
  setWasmPaths('/tfjs-backend-wasm/');
  // The page may share memory between threads, so that its clock is exact; the backend would take its build for threads.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  tf.enableProdMode();
  await tf.setBackend('wasm');
  const weightData = (await fetched('/dense')).buffer;
  return { weightData, x: await fetchedInput() };
}

function startTensorFlow(run: () => Float32Array): Started {
  return start({ first: run(), round: (inputs) => Promise.resolve(timeCalls(inputs, run)) }, version_wasm);
}

/** Opens the model with dense weights as TensorFlow.js loads it. */
export async function startTensorFlowModel(
  modelTopology: object,
  weightSpecs: tf.io.WeightsManifestEntry[],
): Promise<Started> {
  const { weightData, x } = await prepareTensorFlow();
  const model = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
  return startTensorFlow(() =>
    tf.tidy(() => {
      const output = model.predict(tf.tensor2d(x, [1, x.length]));
      if (Array.isArray(output)) throw new TypeError('The model has several outputs.');
      return output.dataSync<'float32'>();
    }),
  );
}

/** Computes the sums that the gates are taken of, [1, 4 units], from input and state. */
type Sums = (input: tf.Tensor2D, h: tf.Tensor2D) => tf.Tensor;

interface StepLayer {
  readonly sums: Sums;
  readonly h: tf.Tensor2D;
  readonly c: tf.Tensor2D;
}

const sumsOfBoth =
  (b: tf.Tensor, bias: tf.Tensor): Sums =>
  (input, h) =>
    tf.fused.matMul({ a: tf.concat([input, h], 1), b, bias });

const sumsOfEach =
  (w: tf.Tensor, u: tf.Tensor, bias: tf.Tensor): Sums =>
  (input, h) =>
    tf.add(tf.fused.matMul({ a: input, b: w, bias }), tf.matMul(h, u));

/** A step of LSTM layers `lstm1`, `lstm2` … in products and elementwise operations; with `isJoined` one product for input and state. */
export async function startTensorFlowSteps(
  weightSpecs: tf.io.WeightsManifestEntry[],
  isJoined: boolean,
): Promise<Started> {
  const { weightData, x } = await prepareTensorFlow();
  const weights = tf.io.decodeWeights(weightData, weightSpecs);
  const layers: StepLayer[] = [];
  for (let n = 1; weights[`lstm${n}/kernel`]; n++) {
    const [w, u, bias] = ['kernel', 'recurrent_kernel', 'bias'].map((name) => weights[`lstm${n}/${name}`]);
    const [units] = u.shape;
    layers.push({
      sums: isJoined ? sumsOfBoth(tf.concat([w, u], 0), bias) : sumsOfEach(w, u, bias),
      h: tf.zeros([1, units]),
      c: tf.zeros([1, units]),
    });
  }
  return startTensorFlow(() =>
    tf.tidy(() => {
      let input = tf.tensor2d(x, [1, x.length]);
      for (const { sums, h, c } of layers) {
        const [i, f, g, o] = tf.split(sums(input, h), 4, 1);
        const cell = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
        input = tf.mul(tf.sigmoid(o), tf.tanh(cell));
      }
      return input.dataSync<'float32'>();
    }),
  );
}
