/**
 * @file The constraints that a model's layers put on their weights (kernelConstraint, …), applied as Keras does: after each
 * update, to what is stored; and after a distortion, where the compressed form survives it.
 */
import * as tf from '@tensorflow/tfjs';
import type { ParameterSet } from '../compiler/parameters.ts';
import type { Compressor } from '../compression/compressor.ts';
import type { LayerConstraint, ModelWeight } from '../models/modelWeights.ts';
import { nonNegative, normConstraint, type WeightConstraint } from '../optimizers/weightConstraints.ts';
import { methodFacts } from '../protocol/experiment/methods/index.ts';
import { policyFacts } from '../protocol/experiment/methods/policies.ts';
import type { Compression } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { UserError } from '../protocol/userError.ts';
import { messageOf } from '../protocol/thrown.ts';

interface Constrained {
  readonly values: Float32Array;
  readonly constrain: WeightConstraint;
  /** True where the constraint is applied after a distortion, too: to the compressed form, or to a weight that has none. */
  readonly afterDistortion: boolean;
}

/** Puts an object of tfjs into the form that is applied to an array. */
type Translation = (constraint: LayerConstraint, shape: readonly number[]) => WeightConstraint;

const { nonNeg, maxNorm, unitNorm, minMaxNorm } = tf.constraints;

/** The constraints of tfjs by class: all of them leave a 0 as it is. */
const known = new Map<unknown, Translation>([
  [nonNeg().constructor, () => nonNegative],
  [unitNorm({}).constructor, (constraint, shape) => normConstraint(shape, axesOf(constraint), () => 1)],
  [
    maxNorm({}).constructor,
    (constraint, shape) => {
      const { maxValue } = constraint.getConfig() as { maxValue: number };
      return normConstraint(shape, axesOf(constraint), (norm) => Math.min(norm, maxValue));
    },
  ],
  [
    minMaxNorm({}).constructor,
    (constraint, shape) => {
      const { minValue, maxValue, rate } = constraint.getConfig() as Record<'minValue' | 'maxValue' | 'rate', number>;
      const clipped = (norm: number) => Math.min(Math.max(norm, minValue), maxValue);
      return normConstraint(shape, axesOf(constraint), (norm) => rate * clipped(norm) + (1 - rate) * norm);
    },
  ],
]);

export class ConstrainedWeights {
  /** What the user should know. */
  readonly warnings: readonly string[];
  readonly #constrained: readonly Constrained[];

  private constructor(constrained: readonly Constrained[], warnings: readonly string[]) {
    this.#constrained = constrained;
    this.warnings = warnings;
  }

  /**
   * @throws SettingError where the compression leaves nothing that a constraint could be applied to, UserError where a
   * constraint of the user's fails
   */
  static async create(
    weights: readonly ModelWeight[],
    parameters: ParameterSet,
    compressor: Compressor | undefined,
  ): Promise<ConstrainedWeights> {
    const warnings: string[] = [];
    const constrained: Constrained[] = [];
    for (const weight of weights) {
      const { constraint, name, shape, trainable } = weight;
      if (constraint === undefined || !trainable) continue;
      const values = parameters.byName.get(name)!.value;
      const translate = known.get(constraint.constructor);
      const constrain = translate?.(constraint, shape) ?? byUser(weight, constraint);
      await constrain(values.slice()); // A mistake in a user's class shows now.
      const target = compressor?.targets.find((candidate) => candidate.weight.name === name);
      const fates = (target?.compressions ?? []).map(({ stage: { compression, path }, key }) => {
        const fate = afterDistortions(compression, translate !== undefined);
        if (fate !== 'impossible') return fate;
        throw new SettingError(
          [...path, 'layers', key],
          `${name} has the constraint ${classOf(constraint)}, which does not work with the policy "${compression.policy}"`,
          { remedy: 'Leave the layer out, take the constraint from the layer, or use the policy "deeptwist".' },
        );
      });
      const isLeftOut = fates.includes('left out');
      if (isLeftOut)
        warnings.push(
          `${name} has the constraint ${classOf(constraint)}. It is applied after each update, but not after a ` +
            'distortion, because it would destroy the compressed form: the final weights may violate it.',
        );
      constrained.push({ values, constrain, afterDistortion: !isLeftOut });
    }
    return new ConstrainedWeights(constrained, warnings);
  }

  /** To be called after each update of the stored weights. */
  async afterUpdate(): Promise<void> {
    for (const { values, constrain } of this.#constrained) await constrain(values);
  }

  /** To be called after each distortion. */
  async afterDistortion(): Promise<void> {
    for (const { values, constrain, afterDistortion } of this.#constrained)
      if (afterDistortion) await constrain(values);
  }
}

/**
 * Tells what happens to a constraint when its weight is distorted. A norm or a sign leaves the zeros of a pruned weight, but not the
 * levels of a quantized one nor a rank. Trained factors are no weight that it could be applied to.
 * @param keepsZeros true where the constraint is known to leave a 0 as it is
 */
function afterDistortions({ method, policy }: Compression, keepsZeros: boolean): 'applied' | 'left out' | 'impossible' {
  const { constraints } = policyFacts[policy];
  if (constraints === 'none' || (constraints === 'keeping zeros' && !keepsZeros)) return 'impossible';
  return ['zeros', 'zero units'].includes(methodFacts[method].leaves) && keepsZeros ? 'applied' : 'left out';
}

/** tfjs takes one axis or several. */
function axesOf(constraint: LayerConstraint): number[] {
  return [(constraint.getConfig() as { axis: number | number[] }).axis].flat();
}

/** A constraint of the user's own class: computed by TensorFlow.js, on the backend that has every operation. */
function byUser({ name, shape }: ModelWeight, constraint: LayerConstraint): WeightConstraint {
  const fails = (reason: string, cause?: unknown) =>
    new UserError(`The constraint ${classOf(constraint)} of ${name} cannot be applied: ${reason}.`, {
      remedy: 'Its apply(weights) must return a tensor of the same shape.',
      cause,
    });
  if (typeof (constraint.apply as unknown) !== 'function') throw fails('it has no function apply()');
  return async (values) => {
    await tf.setBackend('cpu');
    try {
      const result = tf.tidy(() => {
        const constrained = constraint.apply(tf.tensor(values.slice(), [...shape]));
        if (constrained.shape.join() !== shape.join())
          throw new RangeError(`it returns [${constrained.shape.join(', ')}] for [${shape.join(', ')}]`);
        return constrained.dataSync<'float32'>().slice() as unknown as tf.TensorContainer;
      });
      values.set(result as unknown as Float32Array);
    } catch (error) {
      throw fails(messageOf(error), error);
    }
  };
}

function classOf(constraint: LayerConstraint): string {
  return constraint.constructor.name;
}
