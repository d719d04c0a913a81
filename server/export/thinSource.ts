/** @file A model without what it can do without, to be written in the place of the one that was trained. */
import * as tf from '@tensorflow/tfjs';
import { createParameters } from '../compiler/parameters.ts';
import type { StoredTensor } from '../formats/packed/packedFile.ts';
import { graphOf } from '../models/onnx/graphLayer.ts';
import type { FactorSettings } from '../models/thinning/factor.ts';
import { thinningReport, type ThinningReport } from '../models/thinning/report.ts';
import { thinModel } from '../models/thinning/thinModel.ts';
import { followModel } from '../models/topology/followModel.ts';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { modelProgram } from '../training/modelProgram.ts';
import type { Prepared } from '../training/prepare.ts';
import type { ExportSource } from './format.ts';
import { parsedTopology, storedModel } from '../models/storedModel.ts';

export interface ThinSettings {
  /** Undefined to remove units alone, which changes nothing of what the model puts out. */
  readonly factors?: FactorSettings | undefined;
}

interface Thinned {
  readonly source: ExportSource;
  readonly report: ThinningReport;
  /** Disposes of the model of the source. */
  dispose(): void;
}

/** @throws UserError for a graph of ONNX, a model with a layer that cannot be saved, and for a layer to be factored that it does not have */
export async function thinSource(
  model: ExportSource & { readonly prepared: Pick<Prepared, 'loaded' | 'dataset' | 'live'> },
  { factors }: ThinSettings,
): Promise<Thinned> {
  const { prepared, compressed, origin } = model;
  if (graphOf(prepared.program.model))
    throw new UserError('The model is a graph of ONNX: it has no layers that could be made smaller.', {
      remedy:
        'An export as ONNX writes matrices of low rank as two products. To remove units, begin with the model of Keras (.keras) or TensorFlow.js.',
      exitCode: ExitCode.usage,
    });
  await tf.setBackend('cpu');
  const tensors = new Map<string, StoredTensor>(
    prepared.parameters.list.map(({ name, shape, value }) => [name, { shape, data: value }]),
  );
  const thinned = await thinModel(prepared.program.model, tensors, factors);
  const smaller = await storedModel(parsedTopology(thinned.topology), () => thinned.tensors, 'The thinned model');
  const { training } = prepared.live.experiment;
  const program = modelProgram({ ...prepared.loaded, model: smaller }, prepared.dataset, training);
  return {
    source: {
      prepared: { program, parameters: createParameters(program, new Map(), { stateBytes: () => 0 }) },
      // A weight that is as it was has the form that the compression left.
      compressed:
        compressed && new Map([...compressed].filter(([name]) => thinned.tensors.get(name) === tensors.get(name))),
      origin,
    },
    report: thinningReport(thinned, tensors, followModel(smaller)),
    dispose: () => smaller.dispose(),
  };
}
