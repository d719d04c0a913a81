/** @file Blobs of two classes, and a model of one output that tells them apart. */
import { npy } from '../../fixtures/npy.ts';
import { CLASSES, FEATURES, type Workspace } from './workspace.ts';

const SAMPLES = { train: 120, test: 60 };

/** Changes of an experiment; {@link writeYesOrNo} writes its targets. */
export function yesOrNo(activation: string) {
  return {
    model: `
      import * as tf from '@tensorflow/tfjs';
      export const createModel = () => tf.sequential({ layers: [
        tf.layers.dense({ name: 'fc1', units: 16, activation: 'relu', inputShape: [${FEATURES}] }),
        tf.layers.dense({ name: 'fc2', units: 1, activation: '${activation}' }),
      ] });`,
    data: {
      type: 'arrays',
      train: { inputs: 'train.npy', targets: 'train-yes.npy' },
      test: { inputs: 'test.npy', targets: 'test-yes.npy' },
    },
  };
}

/**
 * Whether a sample is of the first of the blobs, as an array [samples], or [samples, 1] where `axis` asks for that.
 * @param targetOf default: 1 for the first blob, else 0
 */
export async function writeYesOrNo(
  { write }: Pick<Workspace, 'write'>,
  {
    form = Int32Array,
    axis = false,
    targetOf = (blob) => (blob === 0 ? 1 : 0),
  }: {
    form?: Int32ArrayConstructor | Float32ArrayConstructor;
    axis?: boolean;
    targetOf?: (blob: number) => number;
  } = {},
): Promise<void> {
  for (const [split, samples] of Object.entries(SAMPLES)) {
    const targets = new form(samples).map((_: number, sample: number) => targetOf(sample % CLASSES));
    await write(`${split}-yes.npy`, npy(targets, axis ? [samples, 1] : [samples]));
  }
}
