/** @file Targets of the data for the outputs of a model, and the labels among them. */
import type * as tf from '@tensorflow/tfjs';
import type { Dataset, TensorSpec } from '../data/dataset.ts';
import { isClassLoss, lossFacts } from '../protocol/experiment/lossFacts.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { elementCount, shapeText } from '../protocol/shape.ts';
import type { OutputLoss } from './objective/dataLoss.ts';
import { unfitModel } from './unfitModel.ts';

export interface MatchedTargets {
  /** As the losses take them: of the output's shape, where a loss compares a target with an output number by number. */
  readonly targets: TensorSpec[];
  /** For each target the number of classes, which its labels must be below, where it has labels. */
  readonly classes: readonly (number | undefined)[];
  /** Labels, or rows of numbers, that a sample has of the first target: one, or one for each time step or pixel. */
  readonly labels: number;
}

/** A target, and what its output has. */
interface Pair {
  readonly target: TensorSpec;
  readonly output: readonly (number | null)[];
  /** Number of values that the output has for a label; undefined where the loss takes no labels. */
  readonly values: number | undefined;
}

/**
 * @param losses of the targets; undefined for a loss of the model's module, which takes any
 * @throws SettingError when a target does not fit its output
 */
export function matchTargets(
  model: tf.LayersModel,
  dataset: Pick<Dataset, 'targets' | 'classes'>,
  losses: readonly OutputLoss[] | undefined,
): MatchedTargets {
  if (losses === undefined) {
    const [{ shape }] = dataset.targets;
    return {
      targets: dataset.targets,
      classes: dataset.targets.map(() => undefined),
      labels: elementCount(shape.slice(0, -1)),
    };
  }
  const matched = losses.map((loss, index) => {
    const target = dataset.targets[index];
    const output = model.outputs[loss.output].shape.slice(1);
    const values = lossFacts[loss.id].targets === 'labels' ? (output.at(-1) ?? undefined) : undefined;
    if (values === 1) throw oneValue(loss, losses.length);
    const spec = isClassLoss(loss.id) ? target : ofOutput(target, output);
    checkTarget({ target: spec, output, values });
    const isYesOrNo = lossFacts[loss.id].binary !== undefined && output.at(-1) === 1;
    const isLabel = target.dtype === 'int32' || spec !== target;
    return { spec, values, classes: values ?? (isYesOrNo && isLabel ? 2 : undefined), told: values ?? output.at(-1) };
  });
  const [{ spec, values, told }] = matched;
  if (dataset.classes && (values !== undefined || told === 1)) checkClasses(dataset.classes, told ?? undefined);
  return {
    targets: matched.map((one) => one.spec),
    classes: matched.map(({ classes }) => classes),
    labels: elementCount(values === undefined ? spec.shape.slice(0, -1) : spec.shape),
  };
}

/** A target whose shape lacks the last axis of the output, of length 1, or has one more, in that of the output; any other as it is. */
function ofOutput(target: TensorSpec, output: Pair['output']): TensorSpec {
  const { shape } = target;
  const longer = [...shape, 1];
  if (fits(longer, output)) return { ...target, shape: longer };
  const shorter = shape.slice(0, -1);
  return shape.at(-1) === 1 && fits(shorter, output) ? { ...target, shape: shorter } : target;
}

function fits(shape: readonly number[], expected: Pair['output']): boolean {
  return expected.length === shape.length && expected.every((size, axis) => size === null || size === shape[axis]);
}

function checkTarget({ target, output, values }: Pair): void {
  const expected = values === undefined ? output : output.slice(0, -1);
  // Labels may come with an axis of length 1 at the end.
  const shape =
    values !== undefined && target.shape.length > expected.length && target.shape.at(-1) === 1
      ? target.shape.slice(0, -1)
      : target.shape;
  if (fits(shape, expected)) return;
  throw unfitModel(
    `the output is ${shapeText(output)}` +
      (values === undefined ? '' : `, one for each of ${values} classes,`) +
      ` and a target of the data is ${shapeText(target.shape)}`,
  );
}

/** @throws SettingError when some classes have no output; a single value tells two apart */
function checkClasses(names: readonly string[], values: number | undefined): void {
  if (values === undefined || names.length <= Math.max(2, values)) return;
  const listed = `${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`;
  const output = values === 1 ? 'a single value, which tells two apart' : `one value for each of ${values}`;
  throw unfitModel(`the data have ${names.length} classes (${listed}), the output ${output}`);
}

/** The error for labels whose output has one value, where the loss compares the values of all classes. */
function oneValue({ id, name }: OutputLoss, outputs: number): SettingError {
  const fact = lossFacts[id].outputs;
  const binary = fact === 'logits' ? 'binary-crossentropy-from-logits' : 'binary-crossentropy';
  return new SettingError(
    ['training', 'loss', ...(outputs === 1 ? [] : [name])],
    `${id} compares the values of all classes, and the output${outputs === 1 ? '' : ` '${name}'`} has a single value`,
    {
      remedy: `For two classes set it to "${binary}", for numbers to "mean-squared-error"; or give the last layer a unit for each class.`,
    },
  );
}
