/** @file What is said of a weight beside the code: a line above its layer, and numbers where the mouse rests. Pure. */
import { parameterFacts } from '../../server/protocol/experiment/methods/index.ts';
import { settingTexts } from '../../server/protocol/experiment/methods/settingText.ts';
import { formatCount, formatPercent, formatRatio } from '../../server/protocol/formatQuantity.ts';
import { countOf, shareKept, shareLeft, trend, type MeasuredWeight } from './measures.ts';
import type { PlacedLayer } from './placedLayers.ts';
import type { Translation } from '../translation.ts';

/** Weights of one call that have a line of their own: `lstm${i}` may make dozens. */
const LINES = 4;

/** A line for each weight of a layer, with the weight that it leads to; those that are one too many are counted. */
export function lensLines(
  l10n: Translation,
  { weights, several }: PlacedLayer,
): readonly { readonly text: string; readonly weight: MeasuredWeight }[] {
  const lines = weights.slice(0, LINES).map((weight) => {
    const name = several ? weight.name : weights.length > 1 ? partOf(weight) : undefined;
    return { text: [...(name === undefined ? [] : [name]), ...facts(l10n, weight)].join(' · '), weight };
  });
  const left = weights.slice(LINES);
  if (left.length === 0) return lines;
  const more = left.length === 1 ? l10n.t('1 more weight') : l10n.t('{0} more weights', left.length);
  return [...lines, { text: more, weight: left[0] }];
}

/** `kernel` of `fc1/kernel` */
function partOf({ name }: MeasuredWeight): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** `[784, 300]`, `2% kept`, `61x smaller`, `rate 0.98 ▲` */
function facts(l10n: Translation, weight: MeasuredWeight): string[] {
  const shape = `[${weight.shape.join(', ')}]`;
  if (!weight.compressed) return [shape, l10n.t('not compressed')];
  if (weight.last === undefined && weight.size === undefined) return [shape, l10n.t('no distortion yet')];
  const moving = settingTrend(weight);
  const found = structureTexts(l10n, weight);
  const known = [keptText(l10n, weight), ratioText(l10n, weight), ...found, settingText(l10n, weight)];
  // Once the setting stays as it is, what changes is how much a distortion still takes away.
  const words = [...known, moving === undefined ? errorText(l10n, weight) : undefined];
  return [shape, ...words.filter((text) => text !== undefined)];
}

function keptText(l10n: Translation, weight: MeasuredWeight): string | undefined {
  const kept = shareKept(weight);
  const isPruned = kept !== undefined && (kept < 1 || Object.keys(weight.last?.setting ?? {}).length > 0);
  if (!isPruned || !hasZeros(weight)) return undefined;
  return l10n.t('{0} kept', formatPercent(kept));
}

function ratioText(l10n: Translation, weight: MeasuredWeight): string | undefined {
  const left = shareLeft(weight);
  if (left === undefined || left === 0) return undefined;
  const ratio = formatRatio(1 / left);
  return weight.isInFile ? l10n.t('{0} smaller', ratio) : l10n.t('would be {0} smaller', ratio);
}

/** `rank 32`, `112 of 300 units`: what training has left, where the method lets it find that. */
function structureTexts(l10n: Translation, { last }: MeasuredWeight): string[] {
  return [
    ...(last?.nuclearNorm ? [l10n.t('rank {0}', formatCount(last.nuclearNorm.rank))] : []),
    ...(last?.units ? [l10n.t('{0} of {1} units', formatCount(last.units.left), formatCount(last.units.all))] : []),
  ];
}

/** True where the zeros of a weight tell how far it is compressed: pruned weights, and those that a user's function changes. */
function hasZeros({ last }: MeasuredWeight): boolean {
  return Object.keys(last?.setting ?? {}).every((name) => parameterFacts[name]?.setsZeros);
}

/** `rate 0.98 ▲`, `2 bits`, `rank 20`; undefined for a distortion of the user's own. */
function settingText(l10n: Translation, weight: MeasuredWeight): string | undefined {
  const arrow = arrowOf(settingTrend(weight));
  const texts = settingTexts(weight.last?.setting ?? {}, {
    translate: (text, number) => l10n.t(text, number),
    number: (value, { unit }) => `${unit === 'fraction' ? Number(value.toPrecision(3)) : value}${arrow}`,
  });
  return texts.length === 0 ? undefined : texts.join(', ');
}

function settingTrend({ last, earlier }: MeasuredWeight): 'up' | 'down' | undefined {
  for (const key of Object.keys(last?.setting ?? {})) {
    const moved = trend(last?.setting[key], earlier?.setting[key]);
    if (moved !== undefined) return moved;
  }
  return undefined;
}

function errorText(l10n: Translation, weight: MeasuredWeight): string | undefined {
  return weight.last && l10n.t('error {0}', errorOf(weight));
}

/** `1.2% ▼`: of the last distortion, against the one before. */
function errorOf({ last, earlier }: MeasuredWeight): string {
  if (last === undefined || Number.isNaN(last.relativeError)) return '–';
  return `${formatPercent(last.relativeError, 2)}${arrowOf(trend(last.relativeError, earlier?.relativeError))}`;
}

function arrowOf(direction: 'up' | 'down' | undefined): string {
  return direction === undefined ? '' : direction === 'up' ? ' ▲' : ' ▼';
}

/** What the last distortion did: `near zero 47,527 → 0`, `zeros 8,906 → 140,083 (95%)`, `rate 0.95`, `relative error 0.67% ▼`. */
export function distortionFacts(l10n: Translation, weight: MeasuredWeight): string[] {
  const { last } = weight;
  if (last === undefined) return [];
  const { zerosBefore, zerosAfter, nearZerosBefore, nearZerosAfter } = last.histogram;
  const share = formatPercent(zerosAfter / countOf(weight));
  const setting = settingText(l10n, weight);
  return [
    l10n.t('near zero {0} → {1}', formatCount(nearZerosBefore), formatCount(nearZerosAfter)),
    l10n.t('zeros {0} → {1} ({2})', formatCount(zerosBefore), formatCount(zerosAfter), share),
    ...structureTexts(l10n, weight),
    ...(setting === undefined ? [] : [setting]),
    l10n.t('relative error {0}', errorOf(weight)),
  ];
}
