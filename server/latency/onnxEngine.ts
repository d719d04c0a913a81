/** @file An ONNX file, run by ONNX Runtime. */
import { inputTensor, isInputType, isIntegerType, type InputType } from '../formats/onnxInput.ts';
import { ort, type Tensor } from '../formats/onnxRuntime.ts';
import { elementCount } from '../protocol/shape.ts';
import { closedShape, inputNumbers, type Engine } from './engine.ts';

/** States that recurrent layers carry from batch to batch. */
const STATE = 'state:';

interface Input {
  readonly name: string;
  readonly type: InputType;
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
    if (!value.isTensor || !isInputType(value.type))
      throw new Error(`its input '${value.name}' is of the type ${value.isTensor ? value.type : 'sequence or map'}`);
    const [first, ...rest] = value.shape;
    const known = value.name.startsWith(STATE) ? undefined : shapes?.[position++];
    const hasBatch = first !== undefined && !value.name.startsWith(STATE);
    if (hasBatch) sizes.push(first);
    const open = hasBatch ? rest : value.shape;
    const shape = closedShape(
      open.map((size) => (typeof size === 'number' && size > 0 ? size : null)),
      known,
    );
    return { name: value.name, type: value.type, shape, hasBatch };
  });
  const batchSize = sizes.find((size) => typeof size === 'number' && size > 0);
  return {
    ...(typeof batchSize === 'number' && { batchSize }),
    sample: inputs.filter(({ hasBatch }) => hasBatch).map(({ shape }) => shape),
    hasWords: inputs.some(({ type }) => isIntegerType(type)),
    prepare(samples, words) {
      const feeds: Record<string, Tensor> = {};
      for (const { name, type, shape, hasBatch } of inputs) {
        const whole = hasBatch ? [samples, ...shape] : [...shape];
        const numbers = inputNumbers(elementCount(whole), isIntegerType(type) ? words : undefined);
        feeds[name] = inputTensor(type, numbers, whole);
      }
      return () => session.run(feeds);
    },
  };
}
