/** @file Packed safetensors as a format of exported models: the compressed weights and the layers that they are of, in one file. */
import { loadModel } from '../../../runtime/index.ts';
import { encodePacked } from '../../formats/packed/packedFile.ts';
import { sectionBytes } from '../../formats/packed/packedWeight.ts';
import { messageOf } from '../../protocol/thrown.ts';
import type { ExportFormat } from '../format.ts';
import { portsOf } from '../ports.ts';
import { smallWeights } from '../smallWeights.ts';
import { metadataOf, openLayersFile } from './layersFile.ts';

export const packed: ExportFormat = {
  async write(source) {
    const weights = smallWeights(source);
    const content = encodePacked(weights, metadataOf(source));
    return {
      content,
      warnings: await limitsOf(content),
      weights: [...weights].map(([name, weight]) => ({ name, form: weight.form, bytes: sectionBytes(weight) })),
      ...portsOf(source.prepared.program),
    };
  },
  open: openLayersFile,
};

/** Why the runtime cannot run a file: it has a table of layers of its own. */
async function limitsOf(content: Uint8Array): Promise<string[]> {
  try {
    (await loadModel(content)).dispose();
    return [];
  } catch (error) {
    return [`deeptwist/runtime cannot run this file; DeepTwist itself reads it. ${messageOf(error)}`];
  }
}
