/** @file An exported ONNX file, run by ONNX Runtime. */
import { portName } from '../../compiler/ports.ts';
import type { StepBatch } from '../../compiler/program.ts';
import { inputTensor, isInputType, isIntegerType } from '../../formats/onnxInput.ts';
import { ort, type InferenceSession, type Tensor } from '../../formats/onnxRuntime.ts';
import { permute } from '../../formats/strided.ts';
import { channelsFirstShape, TO_CHANNELS_FIRST } from '../../models/imageLayout.ts';
import { elementCount } from '../../protocol/shape.ts';
import { UserError } from '../../protocol/userError.ts';
import type { OpenedModel, Output, Samples } from '../format.ts';
import { portNames } from '../portNames.ts';

const SESSION = { logSeverityLevel: 3, executionProviders: ['cpu'] } as const;
const STATE = 'state:';

/**
 * Samples as an input of a file takes them: an imported graph may have channels first, and any type of numbers.
 * @throws UserError for a number that the type does not have
 */
function tensorFor(
  { name, type, shape }: InferenceSession.TensorValueMetadata,
  sample: Samples['inputs'][number],
  values: StepBatch['inputs'][number],
  size: number,
): Tensor {
  const sizes = shape.slice(1).map((one) => (typeof one === 'number' ? one : null));
  const other = channelsFirstShape(sizes, sample.shape);
  const ordered = other ? permute(values, [size, ...sample.shape], TO_CHANNELS_FIRST) : values;
  const dims = [size, ...(other ?? sample.shape)];
  if (!isInputType(type)) throw new Error(`its input ${name} takes numbers of the type ${type}`);
  const tensor = inputTensor(type, ordered, dims);
  if (isIntegerType(type)) {
    const lost = ordered.find((value, i) => Number((tensor.data as Int32Array)[i]) !== Math.trunc(value));
    if (lost !== undefined)
      throw new UserError(`A sample has the number ${lost}, which the input ${name} of the type ${type} cannot take.`, {
        remedy: `Give the model data within the range of ${type}, or an input of another type.`,
      });
  }
  return tensor;
}

export class OnnxFile implements OpenedModel {
  readonly engine = 'ONNX Runtime';
  readonly batchSize: number | undefined;
  readonly #session: InferenceSession;
  readonly #samples: Samples;
  /** Names in the file of the inputs and outputs of the program's graph. */
  readonly #names: ReadonlyMap<string, string>;
  /** States that recurrent layers carry from batch to batch. */
  #states = new Map<string, Tensor>();

  private constructor(session: InferenceSession, samples: Samples) {
    this.#session = session;
    this.#samples = samples;
    this.#names = portNames(samples);
    const sizes = session.inputMetadata.flatMap((value) =>
      value.isTensor && !value.name.startsWith(STATE) ? value.shape[0] : [],
    );
    this.batchSize = sizes.find((size) => typeof size === 'number');
  }

  static async open(path: string, samples: Samples): Promise<OnnxFile> {
    return new OnnxFile(await ort.InferenceSession.create(path, SESSION), samples);
  }

  resetStates(): void {
    this.#states = new Map();
  }

  async predict(size: number, inputs: StepBatch['inputs']): Promise<Output[]> {
    const feeds: Record<string, Tensor> = {};
    this.#samples.inputs.forEach(({ shape, dtype }, i) => {
      const name = this.#names.get(portName.input(i))!;
      const taken = this.#session.inputMetadata.find((value) => value.name === name);
      if (taken?.isTensor) feeds[name] = tensorFor(taken, { shape, dtype }, inputs[i], size);
    });
    for (const value of this.#session.inputMetadata) {
      if (!value.isTensor || !value.name.startsWith(STATE)) continue;
      const shape = value.shape.map(Number);
      feeds[value.name] =
        this.#states.get(value.name) ?? new ort.Tensor('float32', new Float32Array(elementCount(shape)), shape);
    }
    const results = await this.#session.run(feeds);
    for (const name of Object.keys(feeds)) {
      const next = results[portName.next(name)];
      if (next) this.#states.set(name, next);
    }
    return this.#samples.outputNames.map((_, i) => {
      const name = this.#names.get(portName.output(i))!;
      if (!Object.hasOwn(results, name)) throw new Error(`it has no output ${name}`);
      const { data, dims } = results[name];
      return {
        values: data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number | bigint>, Number),
        shape: dims,
      };
    });
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}
