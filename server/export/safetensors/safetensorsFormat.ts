/** @file Safetensors as a format of exported models: every weight as floats, under the names of the model or of PyTorch. */
import { encodeSafetensors, type Safetensor } from '../../formats/safetensors.ts';
import { computedByPytorch, PYTORCH, toPytorch } from '../../models/pytorchWeights.ts';
import type { ExportFormat, ExportSource } from '../format.ts';
import { portsOf } from '../ports.ts';
import { metadataOf, openLayersFile } from './layersFile.ts';

export const safetensors: ExportFormat = {
  write(source, { names }) {
    const tensors = names === PYTORCH ? pytorchTensors(source) : modelTensors(source);
    // `format` is what Hugging Face's loaders look for.
    const metadata = { format: 'pt', ...metadataOf(source), ...(names === PYTORCH && { names }) };
    return Promise.resolve({
      content: encodeSafetensors(tensors, metadata),
      weights: Array.from(tensors, ([name, { data }]) => ({ name, form: 'dense' as const, bytes: data.byteLength })),
      ...portsOf(source.prepared.program),
    });
  },
  open: openLayersFile,
};

function modelTensors({ prepared: { parameters } }: ExportSource): Map<string, Safetensor> {
  return new Map(parameters.list.map(({ name, shape, value }) => [name, { dtype: 'F32', shape, data: value }]));
}

function pytorchTensors({ prepared: { program, parameters } }: ExportSource): Map<string, Safetensor> {
  return new Map(
    computedByPytorch(program.model).flatMap((renamed): [string, Safetensor][] => {
      const { weight, module, parameter, shape, second } = renamed;
      const data = toPytorch(renamed, parameters.byName.get(weight.name)!.value);
      const tensors: [string, Safetensor][] = [[`${module}.${parameter}`, { dtype: 'F32', shape, data }]];
      if (second)
        tensors.push([`${module}.${second.name}`, { dtype: 'F32', shape, data: new Float32Array(data.length) }]);
      return tensors;
    }),
  );
}
