/**
 * @file Masks of time steps, which Masking and mask_zero make, where TensorFlow.js applies them otherwise than Keras does: it gives the last
 * mask to every layer that comes later (tfjs-layers 4.22, engine/executor.ts), Keras to those alone that it reaches.
 */
import { isModelClass, nameOf, settingsOf } from '../../formats/keras/kerasLayers.ts';

type Settings = Readonly<Record<string, unknown>>;

/** Operators that Keras 3 writes for the masks of a functional model. */
export const MASK_OPERATORS = new Set(['NotEqual', 'Any']);
const RECURRENT = new Set(['LSTM', 'GRU', 'SimpleRNN', 'ConvLSTM2D', 'Bidirectional']);
/** Layers behind which the mask is that before them; so is it behind a recurrent layer that returns its sequence. */
const PASSING = new Set([
  ...['Dense', 'TimeDistributed', 'BatchNormalization', 'LayerNormalization', 'Normalization', 'Rescaling'],
  ...['Activation', 'ReLU', 'LeakyReLU', 'PReLU', 'ELU', 'Identity', 'ActivityRegularization'],
  ...['Dropout', 'SpatialDropout1D', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout'],
  ...MASK_OPERATORS,
]);

/**
 * @param layers of one model, as Keras describes them, in their order
 * @returns the layers that TensorFlow.js would compute otherwise: `lstm (LSTM behind a mask that conv1d ends)`
 */
export function maskProblems(layers: readonly Settings[]): string[] {
  const problems: string[] = [];
  let isMasked = false;
  /** Name of the layer that ended the mask; undefined while it goes on. */
  let end: string | undefined;
  for (const layer of layers) {
    const className = String(layer.class_name);
    const config = settingsOf(layer.config);
    if (className === 'Masking' || config.mask_zero === true) {
      isMasked = true;
      end = undefined;
      continue;
    }
    if (!isMasked) continue;
    const isRecurrent = RECURRENT.has(className);
    const { return_sequences: returnsSequence, zero_output_for_mask: zeroOutput } =
      className === 'Bidirectional' ? settingsOf(settingsOf(config.layer).config) : config;
    const isOther =
      end === undefined
        ? className === 'GlobalAveragePooling1D' ||
          (isRecurrent && zeroOutput === true) ||
          (className === 'Bidirectional' && returnsSequence === true)
        : isRecurrent;
    if (isOther || isModelClass(className))
      problems.push(`${nameOf(layer)} (${className} behind a mask${end === undefined ? '' : ` that ${end} ends`})`);
    if (!PASSING.has(className) && !(isRecurrent && returnsSequence === true)) end ??= nameOf(layer);
  }
  return problems;
}
