/** @file Checks of a model that is to be made smaller while it trains, before the training. */
import type * as tf from '@tensorflow/tfjs';
import { modelTopology } from '../models/modelTopology.ts';
import { modelWeights } from '../models/modelWeights.ts';
import { modelOfTopology, parsedTopology } from '../models/storedModel.ts';
import { followModel } from '../models/topology/followModel.ts';
import type { Experiment } from '../protocol/experiment/schema.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { UserError } from '../protocol/userError.ts';
import type { Trainer } from './trainer.ts';

/**
 * Checks before a training that the model can be thinned in the middle of it, at the times that are still to come.
 * @param done training steps that were done
 * @returns messages for the user
 * @throws SettingError where it cannot be made anew from its layers, or no unit can be removed whatever the weights are
 */
export async function checkThinning(
  { at }: NonNullable<Experiment['thin']>,
  done: number,
  { program: { model }, executor, compressor }: Pick<Trainer, 'program' | 'executor' | 'compressor'>,
  stepsPerEpoch: number | undefined,
): Promise<string[]> {
  if (at.every((step) => step <= done)) return [];
  await checkLayers(model);
  checkUnits(model);
  return at.flatMap((step, i) => {
    if (step <= done) return [];
    // A state has a number for each unit; at the begin of an epoch it is 0.
    if (executor.states.size > 0 && (stepsPerEpoch === undefined || step % stepsPerEpoch !== 0))
      throw new SettingError(
        ['thin', 'at', i],
        'the model carries a state from batch to batch, and has none between two epochs alone',
        { remedy: 'Give the time in epochs.' },
      );
    if (compressor?.distortsAfter(step)) return [];
    return `thin.at[${i}]: no weights are distorted after step ${step}, so that units which were 0 have trained on and stay.`;
  });
}

/** @throws SettingError where a model that is made from the saved layers of this one is another one */
async function checkLayers(model: tf.LayersModel): Promise<void> {
  let again: tf.LayersModel | undefined;
  try {
    again = await modelOfTopology(parsedTopology(modelTopology(model)), 'The model');
    const [before, after] = [model, again].map(weightTexts);
    const other = before.find((text, i) => text !== after[i]) ?? after[before.length];
    if (other !== undefined)
      throw new UserError(`${other} is another one in a model that is made from its layers as they are saved`, {
        remedy: 'See whether getConfig() of your own layer classes gives all their settings.',
      });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const reason = error.message.replace(/\.$/, '');
    throw new SettingError(['thin'], `the model cannot be made smaller while it trains: ${reason}`, {
      at: 'key',
      remedy: `${error.remedy ?? ''} Or leave thin out.`.trim(),
      cause: error,
    });
  } finally {
    again?.dispose();
  }
}

/** The weights of a model: name, shape, and how they are trained. */
function weightTexts(model: tf.LayersModel): string[] {
  return modelWeights(model).map(({ name, shape, trainable, constraint }) => {
    const fate = `${trainable ? 'trained' : 'not trained'}${constraint ? ` under ${constraint.constructor.name}` : ''}`;
    return `${name} [${shape.join(', ')}], ${fate},`;
  });
}

/** @throws SettingError where every unit has to stay */
function checkUnits(model: tf.LayersModel): void {
  const { producers, groups } = followModel(model);
  const reasons = producers.map(({ layer, units }) => {
    const reason = groups.obstacleOf(units[0]);
    return units.every((unit) => groups.obstacleOf(unit) !== undefined) ? `${layer}: ${reason}` : undefined;
  });
  if (reasons.some((reason) => reason === undefined)) return;
  const told = reasons.length === 0 ? 'no class of its layers is known' : reasons.slice(0, 3).join('; ');
  throw new SettingError(['thin'], `no unit of the model can be removed (${told})`, {
    at: 'key',
    remedy: 'Leave it out. docs/thinning.md says which units can be removed.',
  });
}
