/** @file The sizes of the inputs of an ONNX graph: of the file, of the experiment, or of the samples. */
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { channelsFirstShape } from '../imageLayout.ts';
import type { ModelSamples } from '../modelSamples.ts';
import type { GraphPort, ModelGraph } from './modelGraph.ts';

/** What tells the sizes that a file leaves open. */
export interface InputSizes {
  /** Sizes of the dimensions that have names in the file. */
  readonly dimensions?: Readonly<Record<string, number>> | undefined;
  /** Default: the dimensions must be given. */
  readonly samples?: ModelSamples | undefined;
}

/**
 * The graph with a size in the place of each name, but for that of the batch.
 * @throws SettingError for a dimension that is not given, and for one that is not there
 */
export function withSizes(graph: ModelGraph, { dimensions = {}, samples }: InputSizes): ModelGraph {
  const names = new Set(graph.inputs.flatMap(({ shape }) => shape.filter((size) => typeof size === 'string')));
  const unknown = Object.keys(dimensions).find((name) => !names.has(name));
  if (unknown !== undefined)
    throw new SettingError(['model', 'inputs', unknown], 'no input of the model has a dimension of this name', {
      at: 'key',
      remedy:
        names.size === 0
          ? 'Leave it out: all its dimensions have sizes.'
          : `Its dimensions are ${[...names].join(', ')}.`,
    });
  const open: string[] = [];
  const ofInput = (name: string, index: number) =>
    samples?.inputs.find((sample) => sample.name === name) ?? samples?.inputs[index];
  const inputs = graph.inputs.map((input, i): GraphPort => {
    const ofSamples = sizesOfSamples(input, ofInput(input.name, i)?.shape);
    const shape = input.shape.map((size, axis) => {
      if (typeof size === 'number') return size;
      const given = dimensions[size] ?? (axis === 0 ? undefined : ofSamples?.[axis - 1]);
      if (given === undefined && axis > 0) open.push(`${size === '' ? `axis ${axis}` : size} of ${input.name}`);
      return given ?? size;
    });
    return { ...input, shape };
  });
  if (open.length > 0)
    throw new SettingError(['model'], `the sizes of dimensions are not known: ${open.join(', ')}`, {
      remedy:
        'Give them: "model": { "onnx": "./net.onnx", "inputs": { "NAME": 128 } }; those without a name take an export with sizes.',
    });
  return { ...graph, inputs };
}

/** Sizes of a sample on the axes behind that of the batch; images with channels last are taken with channels first. */
function sizesOfSamples({ shape }: GraphPort, sample: readonly number[] | undefined): readonly number[] | undefined {
  const wanted = shape.slice(1).map((size) => (typeof size === 'number' ? size : null));
  if (sample?.length !== wanted.length) return undefined;
  return channelsFirstShape(wanted, sample) ?? sample;
}
