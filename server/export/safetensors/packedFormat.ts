/** @file Packed safetensors as a format of exported models: the compressed weights and the layers that they are of, in one file. */
import { encodePacked } from '../../formats/packed/packedFile.ts';
import { sectionBytes } from '../../formats/packed/packedWeight.ts';
import type { ExportFormat } from '../format.ts';
import { portsOf } from '../ports.ts';
import { smallWeights } from '../smallWeights.ts';
import { metadataOf, openLayersFile } from './layersFile.ts';

export const packed: ExportFormat = {
  write(source) {
    const weights = smallWeights(source);
    return Promise.resolve({
      content: encodePacked(weights, metadataOf(source)),
      weights: [...weights].map(([name, weight]) => ({ name, form: weight.form, bytes: sectionBytes(weight) })),
      ...portsOf(source.prepared.program),
    });
  },
  open: openLayersFile,
};
