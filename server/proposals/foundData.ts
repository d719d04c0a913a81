/** @file Data sets that a workspace has, as an experiment file names them, and which of them a model takes. Pure. */
import type { TargetKind } from '../protocol/experiment/firstLoss.ts';
import { TEST_FRACTION } from '../protocol/experiment/schema/table.ts';
import { elementCount } from '../protocol/shape.ts';
import { inputSizes } from '../protocol/model/inputSizes.ts';
import type { ModelDescription } from '../protocol/model/modelDescription.ts';
import type { ChosenModel, FoundData, FoundModel, Pixels } from '../protocol/wire/proposals.ts';

/** Mean and standard deviation of each channel, red, green and blue, of the pixels 0 to 1 of ImageNet, as torchvision has them. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };
/** Sides of images that are of several sizes, where the model says nothing. */
const SIDE = 64;
const WORDS = 20;

/** What a model takes: sizes of its one input without that of the batch, null for open ones. */
type ModelSides = Pick<ModelDescription, 'inputs' | 'outputs'>;

/**
 * `"data"` of an experiment file.
 * @param fromHere makes a path of the file of an absolute one
 */
export function dataSetting(
  data: FoundData,
  fromHere: (path: string) => string,
  model?: ModelSides,
  pixels: Pixels = 'training',
): { readonly type: string; readonly [key: string]: unknown } {
  const { type, path } = data;
  switch (type) {
    case 'text':
      return { type, path: fromHere(path), timeSteps: inputSizes(model)?.at(0) ?? WORDS };
    case 'images': {
      const image = imageOf(inputSizes(model));
      const size = image?.size ?? (data.size ? undefined : [SIDE, SIDE]);
      return {
        type,
        path: fromHere(path),
        ...(data.isWhole && { split: { test: TEST_FRACTION } }),
        ...(image?.channels === 1 && { color: 'gray' }),
        ...(size && !(data.size && size[0] === data.size[0] && size[1] === data.size[1]) && { size }),
        ...(pixels !== 'unit' && { standardize: pixels === 'imagenet' ? IMAGENET : pixels }),
      };
    }
    case 'table': {
      const { form, target, task, ignored } = data.table;
      return {
        type,
        ...(data.test === undefined
          ? { path: fromHere(path) }
          : { files: { train: fromHere(path), test: fromHere(data.test) } }),
        ...form,
        target,
        ...(task === 'regression' && { task, standardize: 'all' }),
        ...(ignored.length > 0 && { kinds: Object.fromEntries(ignored.map((name) => [name, 'ignored'])) }),
      };
    }
    case 'arrays': {
      const { arrays } = data;
      const splits = Object.entries(arrays).map(([split, { inputs, targets }]) => [
        split,
        { inputs: fromHere(inputs), targets: fromHere(targets) },
      ]);
      return { type, ...Object.fromEntries(splits) };
    }
    default:
      return { type, path: fromHere(path) };
  }
}

/** What an input takes for an image; channels are first or last. */
function imageOf(
  input: readonly (number | null)[] | undefined,
): { size: readonly [number, number] | undefined; channels: number } | undefined {
  if (input?.length !== 3) return undefined;
  const isChannels = (size: number | null) => size === 1 || size === 3;
  const first = isChannels(input[0]);
  if (!first && !isChannels(input[2])) return undefined;
  const [height, width] = first ? input.slice(1) : input;
  return { size: height && width ? [height, width] : undefined, channels: (first ? input[0] : input[2]) ?? 3 };
}

/** `no` where a run would be refused, `yes` where all that is known fits. */
export type Fit = 'yes' | 'maybe' | 'no';

/** What is seen of whether a model takes a data set. */
export function fitOf(data: FoundData, model: ModelDescription | undefined): Fit {
  if (!model?.inputs || !model.outputs) return 'maybe';
  if (model.inputs.length !== 1 || model.outputs.length !== 1) return data.type === 'module' ? 'maybe' : 'no';
  const fits = [fitOfSample(data, model), fitOfTargets(data, model)];
  return fits.includes('no') ? 'no' : fits.includes('maybe') ? 'maybe' : 'yes';
}

function fitOfSample(data: FoundData, model: ModelDescription): Fit {
  const input = inputSizes(model) ?? [];
  const isOfWords = input.length === 1 && model.inputs?.[0].dtype === 'int32';
  if (data.type === 'text') return isOfWords ? 'yes' : 'no';
  if (data.type === 'images') return imageOf(input) ? 'yes' : 'no';
  if (!data.sample) return 'maybe';
  const { sample } = data;
  const known = input.filter((size) => size !== null);
  if (known.length === input.length) return elementCount(known) === elementCount(sample) ? 'yes' : 'no';
  const isLike = (sizes: readonly number[]) =>
    sizes.length === input.length && input.every((size, axis) => size === null || size === sizes[axis]);
  const isImage = sample.length === 3;
  return isLike(sample) || (isImage && isLike([sample[2], sample[0], sample[1]])) ? 'yes' : 'no';
}

function fitOfTargets({ classes }: FoundData, model: ModelDescription): Fit {
  const units = model.outputs?.[0].shape.at(-1);
  if (classes === undefined || units === undefined || units === null) return 'maybe';
  if (units === 1) return classes === 2 ? 'yes' : 'no';
  // A model may tell more classes apart than there are.
  return classes === units ? 'yes' : classes < units ? 'maybe' : 'no';
}

/**
 * Places in the list of the data that a model takes, the surest first.
 * @param data in an order that stays where nothing else tells
 */
export function fittingData(data: readonly FoundData[], { model, described }: ChosenModel): number[] {
  const order: readonly Fit[] = ['yes', 'maybe'];
  return data
    .map((one, place) => ({ place, fit: isFor(one, model) ? fitOf(one, described) : 'no' }))
    .filter(({ fit }) => fit !== 'no')
    .sort((a, b) => order.indexOf(a.fit) - order.indexOf(b.fit))
    .map(({ place }) => place);
}

/** By the kind of input that a model is known to be made for. */
function isFor({ type }: FoundData, { input }: FoundModel): boolean {
  if (input === 'words') return type === 'text';
  // Digits are gray, of 28 x 28 pixels: images in folders seldom are.
  return input === undefined || !['text', 'images', 'table'].includes(type);
}

/** What the targets are for a model: floats beside a softmax of as many outputs are probabilities. */
export function targetsFor(data: FoundData, model: ModelDescription | undefined): TargetKind | undefined {
  const output = model?.outputs?.at(0);
  const isSoftmax = output !== undefined && output.activation !== 'other';
  return data.targets === 'one-hot' && !isSoftmax ? 'numbers' : data.targets;
}
