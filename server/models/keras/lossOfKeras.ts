/** @file The loss that a model was compiled with in Keras, where there is the same here. */
import { isRecord } from '../../protocol/record.ts';
import { isLoss, type LossId } from '../../protocol/experiment/lossFacts.ts';
import { losses, type Loss } from '../losses.ts';

const names: Readonly<Record<string, LossId>> = {
  categorical_crossentropy: 'categorical-crossentropy',
  sparse_categorical_crossentropy: 'sparse-categorical-crossentropy',
  binary_crossentropy: 'binary-crossentropy',
  mean_squared_error: 'mean-squared-error',
  mse: 'mean-squared-error',
  mean_absolute_error: 'mean-absolute-error',
  mae: 'mean-absolute-error',
  huber: 'huber',
};

/**
 * @param compiled `compile_config` of a `.keras` file, `training_config` of an `.h5` file
 * @returns undefined for a loss that is not known here, or has settings that change it
 */
export function lossOfKeras(compiled: Readonly<Record<string, unknown>> | undefined): Loss | undefined {
  const { loss } = compiled ?? {};
  const config = isRecord(loss) && isRecord(loss.config) ? loss.config : {};
  const name = typeof loss === 'string' ? loss : config.name;
  if (typeof name !== 'string' || !Object.hasOwn(names, name)) return undefined;
  const {
    from_logits: fromLogits = false,
    label_smoothing: smoothing = 0,
    ignore_class: ignored = null,
    delta = 1,
  } = config;
  if (smoothing !== 0 || ignored !== null || delta !== 1) return undefined;
  const id = fromLogits ? `${names[name]}-from-logits` : names[name];
  return isLoss(id) ? losses[id] : undefined;
}
