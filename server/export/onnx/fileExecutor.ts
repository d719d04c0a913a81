/** @file Runs an exported ONNX file in ONNX Runtime, and beside it the model that it was made from. */
import * as tf from '@tensorflow/tfjs';
import type { ParameterSet } from '../../compiler/parameters.ts';
import { portName } from '../../compiler/ports.ts';
import type { Evaluation, Executor, StepBatch } from '../../compiler/program.ts';
import { BoundSession, type Buffer } from '../../compiler/session.ts';
import type { OnnxGraph } from '../../formats/onnx.ts';
import { ort, type InferenceSession, type Tensor } from '../../formats/onnxRuntime.ts';
import { elementCount } from '../../protocol/shape.ts';
import type { ModelProgram } from '../../training/modelProgram.ts';
import { stepwiseGraph } from './predictionGraph.ts';

export interface FileExecutorOptions {
  readonly program: ModelProgram;
  /** The weights that the file was made from. */
  readonly parameters: ParameterSet;
  /** Names in the file of the inputs and outputs of the program's graph. */
  readonly names: ReadonlyMap<string, string>;
  /** Samples of each batch that the file takes; undefined where that is open. */
  readonly batchSize: number | undefined;
  /** Called after each batch, with the samples of it. */
  readonly onBatch: (samples: number) => void;
}

const SESSION = { logSeverityLevel: 3, executionProviders: ['cpu'] } as const;

/** Evaluates a file, and holds its outputs to those of the model with its weights as floats. */
export class FileExecutor implements Pick<Executor, 'evaluate' | 'resetStates'> {
  /** Largest difference of an output of the file from the model's. */
  largestDifference = 0;
  /** Largest output of the model, without its sign. */
  largestOutput = 0;
  readonly #session: InferenceSession;
  readonly #options: FileExecutorOptions;
  readonly #models = new Map<number, { graph: OnnxGraph; session: BoundSession }>();
  /** States that recurrent layers carry from batch to batch, of the file. */
  #states = new Map<string, Tensor>();
  #triedAlone = false;

  private constructor(session: InferenceSession, options: FileExecutorOptions) {
    this.#session = session;
    this.#options = options;
  }

  static async open(path: string, options: FileExecutorOptions): Promise<FileExecutor> {
    return new FileExecutor(await ort.InferenceSession.create(path, SESSION), options);
  }

  resetStates(): void {
    this.#states = new Map();
    for (const { session } of this.#models.values())
      for (const [name, buffer] of session.buffers) if (name.startsWith('state:')) buffer.fill(0);
  }

  async evaluate(batch: StepBatch): Promise<Evaluation> {
    const { size, samples = size, inputs, targets } = batch;
    const { program, batchSize, onBatch } = this.#options;
    const expected = await this.#runModel(size, inputs);
    const actual = await this.#runFile(size, inputs);
    actual.forEach((output, i) => this.#compare(output, expected[i]));
    if (!this.#triedAlone && batchSize === undefined) {
      this.#triedAlone = true;
      const alone = await this.#runFile(
        1,
        inputs.map((values) => values.subarray(0, values.length / size)),
      );
      alone.forEach((output, i) => this.#compare(output, expected[i].slice(0, output.size)));
    }
    await tf.setBackend('cpu');
    const { loss, metrics } = tf.tidy(() => {
      const labels = program.targets.map(({ shape, dtype }, i) => tf.tensor(targets[i], [samples, ...shape], dtype));
      const predicted = actual.map((output) => {
        const tensor = tf.tensor(floats(output), [...output.dims]);
        return samples === size ? tensor : tf.slice(tensor, 0, samples);
      });
      const score = program.score(labels, predicted);
      return { loss: score.loss.dataSync()[0], metrics: score.metrics.map((metric) => metric.dataSync()[0]) };
    });
    onBatch(samples);
    return { loss, metrics };
  }

  async release(): Promise<void> {
    await this.#session.release();
    for (const { session } of this.#models.values()) await session.release();
  }

  async #runFile(size: number, inputs: StepBatch['inputs']): Promise<Tensor[]> {
    const { program, names } = this.#options;
    const feeds: Record<string, Tensor> = {};
    program.inputs.forEach(({ shape, dtype }, i) => {
      const name = names.get(portName.input(i))!;
      if (this.#session.inputNames.includes(name)) feeds[name] = new ort.Tensor(dtype, inputs[i], [size, ...shape]);
    });
    for (const value of this.#session.inputMetadata) {
      if (!value.isTensor || !value.name.startsWith('state:')) continue;
      const shape = value.shape.map(Number);
      feeds[value.name] =
        this.#states.get(value.name) ?? new ort.Tensor('float32', new Float32Array(elementCount(shape)), shape);
    }
    const results = await this.#session.run(feeds);
    for (const name of Object.keys(feeds)) {
      const next = results[portName.nextState(name)];
      if (next) this.#states.set(name, next);
    }
    return program.outputNames.map((_, i) => results[names.get(portName.output(i))!]);
  }

  /** Outputs of the model that the file was made from; they are valid until the next batch. */
  async #runModel(size: number, inputs: StepBatch['inputs']): Promise<Buffer[]> {
    const { program, parameters } = this.#options;
    let model = this.#models.get(size);
    if (model === undefined) {
      const graph = await stepwiseGraph(program, size);
      const bound = new Map<string, Buffer>(
        parameters.list.map(({ name, value }) => [portName.parameter(name), value]),
      );
      model = { graph, session: await BoundSession.create(graph, bound, { threads: 1, spinning: false }) };
      this.#models.set(size, model);
    }
    const { graph, session } = model;
    inputs.forEach((values, i) => session.buffers.get(portName.input(i))?.set(values));
    await session.run();
    for (const { name } of graph.inputs) {
      const next = session.buffers.get(portName.nextState(name));
      if (next) session.buffers.get(name)!.set(next);
    }
    return program.outputNames.map((_, i) => session.buffers.get(portName.output(i))!);
  }

  #compare(output: Tensor, expected: ArrayLike<number>): void {
    const actual = floats(output);
    for (let i = 0; i < actual.length; i++) {
      const difference = Math.abs(actual[i] - expected[i]);
      // A number that is none is as far from the model's as can be, unless that is none either.
      if (Number.isNaN(difference)) {
        if (!Object.is(actual[i], expected[i])) this.largestDifference = Infinity;
        continue;
      }
      if (difference > this.largestDifference) this.largestDifference = difference;
      if (Math.abs(expected[i]) > this.largestOutput) this.largestOutput = Math.abs(expected[i]);
    }
  }
}

function floats({ data }: Tensor): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>);
}
