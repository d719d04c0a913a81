/** @file An ONNX file, run by ONNX Runtime. */
import { ort, type Tensor } from '../formats/onnxRuntime.ts';
import { elementCount } from '../protocol/shape.ts';
import { closedShape, inputNumbers, type Engine } from './engine.ts';

/** States that recurrent layers carry from batch to batch. */
const STATE = 'state:';

/** Types of inputs that are given, and of those that are whole numbers, how. */
const inputTypes: Readonly<
  Record<string, { isWhole: boolean; tensor: (values: Float32Array, shape: number[]) => Tensor }>
> = {
  float32: { isWhole: false, tensor: (values, shape) => new ort.Tensor('float32', values, shape) },
  int32: { isWhole: true, tensor: (values, shape) => new ort.Tensor('int32', Int32Array.from(values), shape) },
  int64: {
    isWhole: true,
    tensor: (values, shape) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape),
  },
};

interface Input {
  readonly name: string;
  readonly type: (typeof inputTypes)[string];
  /** The shape of one sample; the whole shape, batch included, for a state. */
  readonly shape: readonly number[];
  /** False for a state, and for an input without axes. */
  readonly hasBatch: boolean;
}

/** @param shapes of the inputs of a sample, where they are known */
export async function openOnnx(
  path: string,
  threads: number,
  shapes: readonly (readonly number[])[] | undefined,
): Promise<Engine> {
  const session = await ort.InferenceSession.create(path, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    // Threads that wait for more work do not take the processor from the contender whose turn it is.
    extra: { session: { force_spinning_stop: '1' } },
  });
  let position = 0;
  const sizes: (number | string)[] = [];
  const inputs = session.inputMetadata.map((value): Input => {
    if (!value.isTensor || !Object.hasOwn(inputTypes, value.type))
      throw new Error(`its input '${value.name}' is of the type ${value.isTensor ? value.type : 'sequence or map'}`);
    const [first, ...rest] = value.shape;
    const type = inputTypes[value.type];
    const known = value.name.startsWith(STATE) ? undefined : shapes?.[position++];
    const hasBatch = first !== undefined && !value.name.startsWith(STATE);
    if (hasBatch) sizes.push(first);
    const open = hasBatch ? rest : value.shape;
    const shape = closedShape(
      open.map((size) => (typeof size === 'number' && size > 0 ? size : null)),
      known,
    );
    return { name: value.name, type, shape, hasBatch };
  });
  const batchSize = sizes.find((size) => typeof size === 'number' && size > 0);
  return {
    ...(typeof batchSize === 'number' && { batchSize }),
    sample: inputs.filter(({ hasBatch }) => hasBatch).map(({ shape }) => shape),
    hasWords: inputs.some(({ type }) => type.isWhole),
    prepare(samples, words) {
      const feeds: Record<string, Tensor> = {};
      for (const { name, type, shape, hasBatch } of inputs) {
        const whole = hasBatch ? [samples, ...shape] : [...shape];
        feeds[name] = type.tensor(inputNumbers(elementCount(whole), type.isWhole ? words : undefined), whole);
      }
      return () => session.run(feeds);
    },
  };
}
