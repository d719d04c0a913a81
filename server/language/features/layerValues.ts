/** @file Rates, bits and ranks for a layer, each with what is then left of its weights. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import { matrixViewOf } from '../../compression/targets/matrixView.ts';
import { predictSizes } from '../../compression/predictSize.ts';
import { modelSize } from '../../compression/size.ts';
import { isMatrix } from '../../compression/targets/targets.ts';
import { formatCount, formatRatio } from '../../protocol/formatQuantity.ts';
import type { DescribedWeight } from '../../protocol/model/modelDescription.ts';
import { compressedModel, keysOf } from '../compressedModel.ts';
import { layerSetting, readCompression } from '../readCompression.ts';
import { settingDocumentation, settingSchema } from '../settingDocumentation.ts';
import { recordAt } from '../writtenSettings.ts';
import type { Proposal, Typing } from './completion.ts';

const RATES = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99];
const BITS = [1, 2, 3, 4];
/** How much smaller a matrix of the proposed ranks is. */
const RANK_RATIOS = [2, 4, 8, 16, 32];

/** None for another setting than the rate, the bits or the rank of a layer of a known model. */
export function layerValues({ document, surroundings: { model }, place }: Typing): Proposal[] {
  const [section, layers, key, parameter] = place.path;
  const compression = readCompression(document);
  if (!model || !compression || section !== 'compression' || layers !== 'layers' || typeof key !== 'string') return [];
  const weights = compressedModel(document, model)?.weightsOf(key) ?? [];
  const named = weights.length > 0 ? weights : keysOf(model).named(key).filter(isMatrix);
  const node = settingSchema(document.settings, place.path);
  const values = valuesOf(String(parameter), named);
  if (named.length === 0 || values.length === 0 || !node) return [];
  const written = recordAt(document, ['compression', 'layers', key]);
  return values.map((value) => {
    const setting = layerSetting(compression.method, { ...written, [parameter]: value });
    const size = modelSize(predictSizes(named, () => setting));
    return {
      label: String(value),
      kind: CompletionItemKind.Value,
      detail: `${formatRatio(size.byteRatio)} smaller · ${formatCount(size.weightsKept)} of ${formatCount(size.weights)} numbers`,
      documentation: settingDocumentation(node),
      snippet: String(value),
    };
  });
}

function valuesOf(parameter: string, weights: readonly DescribedWeight[]): readonly number[] {
  if (parameter === 'rate') return RATES;
  if (parameter === 'bits') return BITS;
  if (parameter !== 'rank') return [];
  const ranks = RANK_RATIOS.map((ratio) => rankFor(ratio, weights));
  return [...new Set(ranks.map(roundDown))].filter((rank) => rank >= 1).sort((a, b) => b - a);
}

/** The rank at which matrices are `ratio` times as small together: `sum m n = ratio r sum (m + n)`; at most their shortest side. */
export function rankFor(ratio: number, weights: readonly DescribedWeight[]): number {
  const views = weights.map(({ shape, weight, layerClass }) => matrixViewOf(shape, weight, layerClass));
  const full = views.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const sides = views.reduce((sum, { rows, columns }) => sum + rows + columns, 0);
  const shortest = Math.min(...views.map(({ rows, columns }) => Math.min(rows, columns)));
  return Math.min(Math.floor(full / (ratio * sides)), shortest);
}

/** To two digits in steps of 1, 2, 4, 5, … as people choose ranks. */
function roundDown(rank: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(rank, 1))) - 1);
  return Math.floor(rank / unit) * unit;
}
