/** @file What is shown where the mouse rests on a layer, as Markdown. Pure. */
import { formatCount } from '../../server/protocol/formatQuantity.ts';
import { commandLink, markdownText } from '../../server/protocol/markdown.ts';
import type { MeasuredWeight } from './measures.ts';
import type { PlacedLayer } from './placedLayers.ts';
import { pictureAlt, weightPicture, type Appearance } from './weightPicture.ts';
import type { Translation } from '../translation.ts';
import { lensLines, distortionFacts } from './weightText.ts';

/** The command that its links use: the run's folder and the weight's name are its arguments. */
export const OPEN = 'deeptwist.openDashboard';
/** Pictures below one another. */
const MOST = 3;

export interface HoverRun {
  /** The run folder. */
  readonly key: string;
  readonly id: string;
  /** True while it is trained. */
  readonly live: boolean;
}

/** Each compressed weight of the layer with its picture; icons are VS Code's. */
export function layerHover(l10n: Translation, layer: PlacedLayer, run: HoverRun, appearance: Appearance): string {
  const shown = layer.weights.filter(({ last }) => last).slice(0, MOST);
  const parts = shown.map((weight) => weightPart(l10n, weight, run, appearance));
  if (parts.length === 0) parts.push(...lensLines(l10n, layer).map(({ text }) => markdownText(text)));
  const note = appearance.changed ? `$(history) ${l10n.t('This file has changed since the run.')}\n\n` : '';
  return note + parts.join('\n\n---\n\n');
}

function weightPart(l10n: Translation, weight: MeasuredWeight, run: HoverRun, appearance: Appearance): string {
  const { svg, width, height } = weightPicture(l10n, weight, appearance)!;
  const { done = 0, all } = weight.steps;
  const when = l10n.t('step {0} of {1}', formatCount(done), formatCount(all));
  const link = commandLink(run.id, OPEN, [run.key, weight.name], l10n.t('Open Dashboard'));
  const uri = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  return [
    `**${markdownText(weight.name)}** ${markdownText(`[${weight.shape.join(', ')}]`)} · ${when}${run.live ? ' $(pulse)' : ''} · ` +
      link,
    `![${markdownText(pictureAlt(l10n, weight))}](${uri}|width=${width},height=${height})`,
    distortionFacts(l10n, weight)
      .map((fact) => markdownText(fact))
      .join(' · '),
  ].join('\n\n');
}
