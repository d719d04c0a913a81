/** @file An entry of `compression.layers` written otherwise: for a wanted ratio, or a glob as the layers that it names. */
import type { LayerSetting } from '../../compression/predictSize.ts';
import { isMatrix } from '../../compression/targets/targets.ts';
import type { LowRankParameters } from '../../protocol/experiment/schema.ts';
import { formatRatio } from '../../protocol/formatQuantity.ts';
import { compressedModel, type CompressedModel } from '../compressedModel.ts';
import { readCompression } from '../readCompression.ts';
import { replaceValue, type Rewriting, type Rewritten } from './rewriting.ts';
import { byteRatioOf } from './equivalentSetting.ts';
import { rankFor } from './layerValues.ts';

const TARGETS = [10, 20, 50];

/** The key of the entry that is asked about. */
function keyAt({ path }: Rewritten): string | undefined {
  const [section, layers, key] = path;
  return section === 'compression' && layers === 'layers' && typeof key === 'string' ? key : undefined;
}

/** Sets the rate, or the rank, so that 1 of 10, 20 or 50 numbers of the key's weights is left; the nearest where none fits. */
export function ratioTargets(rewritten: Rewritten): Rewriting[] {
  const { document, surroundings } = rewritten;
  const key = keyAt(rewritten);
  const setting = key === undefined ? undefined : readCompression(document)?.layers.get(key);
  if (key === undefined || !setting) return [];
  const path = ['compression', 'layers', key];
  if (setting.method === 'prune')
    return TARGETS.map((target) => Number((1 - 1 / target).toFixed(4)))
      .filter((rate) => rate !== setting.parameters.rate)
      .map((rate) => ({
        title: `Set the rate to ${rate}: ${formatRatio(1 / (1 - rate))} fewer weights`,
        edits: replaceValue(document, [...path, 'rate'], String(rate)),
      }));
  const weights = compressedModel(document, surroundings.model)?.weightsOf(key) ?? [];
  if (setting.method !== 'low-rank' || weights.length === 0) return [];
  const ranks = [...new Set(TARGETS.map((target) => Math.max(1, rankFor(target, weights))))];
  return ranks
    .filter((rank) => rank !== setting.parameters.rank)
    .map((rank) => ({
      title: `Set the rank to ${rank}: ${formatRatio(byteRatioOf(weights, withRank(rank, setting.parameters)))} smaller`,
      edits: replaceValue(document, [...path, 'rank'], String(rank)),
    }));
}

function withRank(rank: number, parameters: LowRankParameters): LayerSetting {
  return { method: 'low-rank', parameters: { ...parameters, rank } };
}

/** A glob as the layers that it compresses, or as their weights where some have keys of their own. */
export function globExpansions(rewritten: Rewritten): Rewriting[] {
  const { document, surroundings } = rewritten;
  const key = keyAt(rewritten);
  const compressed = compressedModel(document, surroundings.model);
  if (key === undefined || !compressed) return [];
  const names = expanded(key, compressed);
  const value = document.json.rangeOfValue(['compression', 'layers', key]);
  const own = document.json.rangeOfKey(['compression', 'layers', key]);
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

function expanded(key: string, compressed: CompressedModel): string[] {
  const own = new Set(compressed.weightsOf(key));
  const matrices = compressed.keys.named(key).filter(isMatrix);
  const layers = [...new Set(matrices.map(({ layer }) => layer))];
  return layers.flatMap((layer) => {
    const all = compressed.keys.named(layer).filter((weight) => weight.layer === layer && isMatrix(weight));
    const rest = all.filter((weight) => own.has(weight));
    return rest.length === all.length ? [layer] : rest.map(({ name }) => name);
  });
}
