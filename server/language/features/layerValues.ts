/** @file Rates, bits and ranks for a layer, each with what is then left of its weights. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import { predictSizes } from '../../compression/predictSize.ts';
import { modelSize, type ModelSize } from '../../compression/size.ts';
import { isMatrix } from '../../compression/targets/targets.ts';
import { methodFacts } from '../../protocol/experiment/methods/index.ts';
import { formatCount, formatRatio } from '../../protocol/formatQuantity.ts';
import { compressedModel, keysOf } from '../compressedModel.ts';
import { matricesOf } from '../matrices.ts';
import { compressionAt, isSizeTrained, layerAt, layerSetting } from '../readCompression.ts';
import { settingDocumentation, settingSchema } from '../settingDocumentation.ts';
import { recordAt } from '../writtenSettings.ts';
import type { Proposal, Typing } from './proposal.ts';

/** None for a setting that is no parameter of a layer of a known model. */
export function layerValues({ document, surroundings: { model }, place }: Typing): Proposal[] {
  const layer = layerAt(place.path);
  const compression = compressionAt(document, place.path);
  if (!model || !compression || !layer) return [];
  const { layers, key, inner } = layer;
  const [parameter] = inner;
  const weights = compressedModel(document, model)?.weightsOf(compression, key) ?? [];
  const named = weights.length > 0 ? weights : keysOf(model).named(key).filter(isMatrix);
  const node = settingSchema(document.settings, place.path);
  const { parameters } = methodFacts[compression.method];
  const name = String(parameter);
  const values = Object.hasOwn(parameters, name) ? parameters[name].proposed(matricesOf(named)) : [];
  if (named.length === 0 || values.length === 0 || !node) return [];
  const written = recordAt(document, [...layers, key]);
  return values.flatMap((value) => {
    const setting = layerSetting(compression.method, { ...written, [parameter]: value });
    if (!setting) return [];
    return {
      label: String(value),
      kind: CompletionItemKind.Value,
      detail: isSizeTrained(compression) ? undefined : sizeText(modelSize(predictSizes(named, () => [setting]))),
      documentation: settingDocumentation(node),
      snippet: String(value),
    };
  });
}

function sizeText({ byteRatio, weights, weightsKept }: ModelSize): string {
  return `${formatRatio(byteRatio)} smaller · ${formatCount(weightsKept)} of ${formatCount(weights)} numbers`;
}
