/** @file An entry of `compression.layers` written otherwise: for a wanted ratio, or a glob as the layers that it names. */
import { isMatrix } from '../../compression/targets/targets.ts';
import { methodFacts } from '../../protocol/experiment/methods/index.ts';
import { formatRatio } from '../../protocol/formatQuantity.ts';
import { compressedModel, type CompressedModel } from '../compressedModel.ts';
import { matricesOf } from '../matrices.ts';
import { compressionAt, isSizeKnown, layerAt, layerSetting, type ReadCompression } from '../readCompression.ts';
import { replaceValue, type Rewriting, type Rewritten } from './rewriting.ts';
import { byteRatioOf } from './equivalentSetting.ts';

const TARGETS = [10, 20, 50];

/** Sets the parameter so that 1 of 10, 20 or 50 numbers of the key's weights is left; the nearest where none fits. */
export function ratioTargets(rewritten: Rewritten): Rewriting[] {
  const { document, surroundings } = rewritten;
  const layer = layerAt(rewritten.path);
  const compression = compressionAt(document, rewritten.path);
  const setting = layer && compression?.layers.get(layer.key);
  if (!layer || !compression || !setting || !isSizeKnown(compression, layer.key)) return [];
  const { parameters, leaves } = methodFacts[setting.method];
  const weights = compressedModel(document, surroundings.model)?.weightsOf(compression, layer.key) ?? [];
  const written: Readonly<Record<string, unknown>> = setting.parameters;
  return Object.entries(parameters).flatMap(([name, { forRatio }]) => {
    const values = new Map(TARGETS.map((target) => [forRatio?.(target, matricesOf(weights)), target]));
    return Array.from(values).flatMap(([value, target]): Rewriting[] => {
      const changed = layerSetting(setting.method, { ...written, [name]: value });
      if (value === undefined || value === written[name] || !changed) return [];
      // The bytes of zeros are those of their places, too, which are not known before they are chosen.
      const result =
        leaves === 'zeros'
          ? `${formatRatio(target)} fewer weights`
          : `${formatRatio(byteRatioOf(weights, changed))} smaller`;
      return [
        {
          title: `Set the ${name} to ${value}: ${result}`,
          edits: replaceValue(document, [...layer.layers, layer.key, name], String(value)),
        },
      ];
    });
  });
}

/** A glob as the layers that it compresses, or as their weights where some have keys of their own. */
export function globExpansions(rewritten: Rewritten): Rewriting[] {
  const { document, surroundings } = rewritten;
  const layer = layerAt(rewritten.path);
  const compression = compressionAt(document, rewritten.path);
  const compressed = compressedModel(document, surroundings.model);
  if (!layer || !compression || !compressed) return [];
  const { layers, key } = layer;
  const names = expanded(key, compression, compressed);
  const value = document.json.rangeOfValue([...layers, key]);
  const own = document.json.rangeOfKey([...layers, key]);
  if (names.length === 0 || names.includes(key) || !value || !own) return [];
  const text = document.text.getText();
  const line = text.slice(text.lastIndexOf('\n', own.start - 1) + 1, own.start);
  const indent = /^[ \t]*$/.test(line) ? line : undefined;
  const entries = names.map((name) => JSON.stringify(name) + text.slice(own.end, value.end));
  const range = document.rangeOf({ start: own.start, end: value.end });
  const newText = entries.join(indent === undefined ? ', ' : `,\n${indent}`);
  const title = `Write "${key}" as the ${names.length === 1 ? 'one layer' : `${names.length} layers`} that it names`;
  return [{ title, edits: [{ range, newText }] }];
}

function expanded(key: string, compression: ReadCompression, compressed: CompressedModel): string[] {
  const own = new Set(compressed.weightsOf(compression, key));
  const matrices = compressed.keys.named(key).filter(isMatrix);
  const layers = [...new Set(matrices.map(({ layer }) => layer))];
  return layers.flatMap((layer) => {
    const all = compressed.keys.named(layer).filter((weight) => weight.layer === layer && isMatrix(weight));
    const rest = all.filter((weight) => own.has(weight));
    return rest.length === all.length ? [layer] : rest.map(({ name }) => name);
  });
}
