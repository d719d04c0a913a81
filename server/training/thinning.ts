/**
 * @file Thinning while a model trains (Alvarez & Salzmann 2017): the units that do nothing are removed, and what is left goes on in the
 * place of the model, with its weights, its moving averages and its part of the optimizer's state.
 */
import * as tf from '@tensorflow/tfjs';
import type { Batch } from '../data/dataset.ts';
import type { StoredTensor } from '../formats/packed/packedFile.ts';
import { parsedTopology, storedModel } from '../models/storedModel.ts';
import { thinningReport, type ThinningReport } from '../models/thinning/report.ts';
import { thinModel } from '../models/thinning/thinModel.ts';
import { followModel } from '../models/topology/followModel.ts';
import { UserError } from '../protocol/userError.ts';
import type { Prepared } from './prepare.ts';
import { SMALLER_MODEL } from './thinnedModel.ts';
import type { Trainer } from './trainer.ts';

/** Largest change of the loss of a batch that is rounding, in nats and as a part of it: that of outputs in a thinned file. */
const TOLERANCE = 1e-4;

export interface Thinned {
  /** What trains from now on; the same as before where no unit was removed. */
  readonly prepared: Prepared;
  readonly report: ThinningReport;
  /** Losses of the batch in inference mode, in nats. */
  readonly lossBefore: number;
  readonly lossAfter: number;
}

/**
 * Removes the units that do nothing. The prepared model is disposed of where some are.
 * @param batch on which the models before and after are compared
 * @throws UserError where the smaller model puts out something else: a layer of the user's does not save all that it is
 */
export async function thin(prepared: Prepared, batch: Batch): Promise<Thinned> {
  const { program, parameters, optimizer } = prepared;
  const lossBefore = await lossOf(prepared, batch);
  await tf.setBackend('cpu');
  const tensors = new Map(
    parameters.list.map(({ name, shape, value }): [string, StoredTensor] => [name, { shape, data: value }]),
  );
  const thinned = await thinModel(program.model, tensors, undefined);
  if (![...thinned.tensors].some(([name, tensor]) => tensors.get(name) !== tensor)) {
    const report = thinningReport(thinned, tensors, thinned.before);
    return { prepared, report, lossBefore, lossAfter: lossBefore };
  }
  const model = await storedModel(parsedTopology(thinned.topology), () => thinned.tensors, SMALLER_MODEL);
  const report = thinningReport(thinned, tensors, followModel(model));
  const smaller = await prepared.replaceModel(model, thinned.topology);
  for (const [slot, state] of smaller.optimizer.slots) {
    const before = optimizer.slots.get(slot);
    const weight = slot.slice(0, slot.lastIndexOf('/'));
    const shape = parameters.byName.get(weight)?.shape;
    // A bias that the layer did not have begins with the first state.
    if (before && shape) state.set(thinned.leftOf(weight, { shape, data: before }).data as Float32Array);
  }
  smaller.optimizer.iterations = optimizer.iterations;
  const lossAfter = await lossOf(smaller, batch);
  if (Math.abs(lossAfter - lossBefore) > TOLERANCE * Math.max(1, Math.abs(lossBefore)))
    throw new UserError(
      `Thinning changed what the model puts out: the loss of a batch was ${lossBefore} and is ${lossAfter}. Earlier checkpoints are intact.`,
      { remedy: 'See whether getConfig() of your own layer classes gives all their settings, or leave thin out.' },
    );
  return { prepared: smaller, report, lossBefore, lossAfter };
}

/** With the weights that are stored, in inference mode. */
async function lossOf({ executor }: Trainer, batch: Batch): Promise<number> {
  executor.resetStates('evaluation');
  return (await executor.evaluate(batch)).loss;
}
