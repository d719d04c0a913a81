/** @file The same experiment with another compression method, at about the same size. */
import type { TextEdit } from 'vscode-languageserver/node';
import { formatRatio } from '../../protocol/formatQuantity.ts';
import { withinCompression } from '../../protocol/experiment/compressions.ts';
import { methodFacts } from '../../protocol/experiment/methods/index.ts';
import { worksWith } from '../../protocol/experiment/methods/policies.ts';
import type { Method } from '../../protocol/experiment/schema.ts';
import { DEFAULT_POLICY } from '../../protocol/experiment/schema/compression.ts';
import { readTimes, timesIn } from '../../protocol/experiment/times.ts';
import { isMatrix } from '../../compression/targets/targets.ts';
import { compressedModel } from '../compressedModel.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';
import { compressionAt, type ReadCompression } from '../readCompression.ts';
import { replaceValue, type Rewriting, type Rewritten } from './rewriting.ts';
import { byteRatioOf, equivalentSetting, sizedMethods } from './equivalentSetting.ts';

/** Conversions offered at the method, and at `"compression"` and `"layers"`; none where the model or a setting is not known. */
export function conversions({ document, path, surroundings: { model } }: Rewritten): Rewriting[] {
  const compression = compressionAt(document, path);
  const inner = withinCompression(path)?.inner;
  const isHere = inner && (inner.length === 0 || (inner.length === 1 && inner[0] !== 'schedule'));
  if (!isHere || !compression || !sizedMethods.includes(compression.method)) return [];
  return sizedMethods
    .filter((method) => method !== compression.method)
    .flatMap((method) => conversion(method, document, compression, model));
}

function conversion(
  method: Method,
  document: ExperimentDocument,
  compression: ReadCompression,
  model: Rewritten['surroundings']['model'],
): Rewriting[] {
  const compressed = compressedModel(document, model);
  if (!compressed || compression.layers.size === 0) return [];
  const edits: TextEdit[] = replaceValue(document, [...compression.path, 'method'], JSON.stringify(method));
  const ratios: number[] = [];
  for (const [key, setting] of compression.layers) {
    const own = compressed.weightsOf(compression, key);
    const weights = own.length > 0 ? own : compressed.keys.named(key).filter(isMatrix);
    if (!setting || weights.length === 0) return [];
    const equivalent = equivalentSetting(method, weights, byteRatioOf(weights, setting));
    if (!equivalent) return [];
    edits.push(...replaceValue(document, [...compression.path, 'layers', key], equivalent.text));
    ratios.push(equivalent.ratio);
  }
  const schedule = scheduleEdits(method, document, compression);
  if (!schedule) return [];
  edits.push(...schedule);
  if (!worksWith(compression.policy, method))
    edits.push(...replaceValue(document, [...compression.path, 'policy'], JSON.stringify(DEFAULT_POLICY)));
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map(formatRatio);
  const size = low === high ? low : `${low} to ${high}`;
  return [{ title: `Convert to ${method}, at about the same size (layers ${size} smaller)`, edits }];
}

/** Adds or removes the end of the schedule, which only a rising one has; undefined where the length of the training does not tell it. */
function scheduleEdits(
  method: Method,
  document: ExperimentDocument,
  compression: ReadCompression,
): TextEdit[] | undefined {
  const path = [...compression.path, 'schedule'];
  if (!compression.schedule) return [];
  const { times } = compression;
  const from = times.from.count;
  const unit = document.json.has([...path, 'unit']) ? `, "unit": ${JSON.stringify(times.from.unit)}` : '';
  if (methodFacts[method].rises === undefined)
    return compression.schedule.rise ? replaceValue(document, path, `{ "from": ${from}${unit} }`) : [];
  const { end } = timesIn(times.from.unit, readTimes(document.settings), times, undefined);
  if (end === undefined || end <= from) return undefined;
  const to = Math.ceil((from + end) / 2);
  return replaceValue(document, path, `{ "from": ${from}, "to": ${to}${unit} }`);
}
