/** @file Keys of `compression.layers` that can be typed: what the model has, with shapes. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import { elementCount } from '../../protocol/shape.ts';
import { isMatrix } from '../../compression/targets/targets.ts';
import { firstParameters } from '../../protocol/experiment/firstExperiment.ts';
import { formatCount } from '../../protocol/formatQuantity.ts';
import { markdownText } from '../../protocol/markdown.ts';
import type { DescribedWeight, ModelDescription } from '../../protocol/model/modelDescription.ts';
import { keysOf } from '../compressedModel.ts';
import { matricesOf, shortestSide } from '../matrices.ts';
import { compressionAt, type ReadCompression } from '../readCompression.ts';
import type { Proposal, Typing } from './proposal.ts';
import { escaped, exampleSnippet, Places } from './snippetText.ts';

/** A proposal with the name of its key, which alone is inserted where an entry is there already. */
interface LayerProposal extends Proposal {
  readonly name: string;
}

/** Layers with a matrix, globs over those with alike names, and single weights, in the order of the model. */
export function layerProposals(
  { document, surroundings: { model }, place }: Typing,
  written: ReadonlySet<string>,
): Proposal[] {
  if (!model) return [];
  return proposalsOf(model, compressionAt(document, place.path))
    .filter(({ label }) => !written.has(label))
    .map(({ name, ...proposal }) => (place.next === 'colon' ? { ...proposal, snippet: name } : proposal));
}

/** What the first parameters of a layer depend on; undefined where the method is not known. */
type Choice = Pick<ReadCompression, 'method' | 'policy'> | undefined;

const known = new WeakMap<ModelDescription, Map<string, readonly LayerProposal[]>>();

/** Matrices that are proposed: the first ones of a large model. */
const MOST_PROPOSED = 2000;

/** The proposals for a model, which are made once: a model can have hundreds of layers, with a table each. */
function proposalsOf(model: ModelDescription, choice: Choice): readonly LayerProposal[] {
  let byChoice = known.get(model);
  if (!byChoice) known.set(model, (byChoice = new Map()));
  const name = choice ? `${choice.method} ${choice.policy}` : '';
  let proposals = byChoice.get(name);
  if (!proposals) byChoice.set(name, (proposals = makeProposals(model, choice)));
  return proposals;
}

function makeProposals(model: ModelDescription, choice: Choice): readonly LayerProposal[] {
  const matrices = model.weights.filter(isMatrix).slice(0, MOST_PROPOSED);
  const layers = [...new Set(matrices.map(({ layer }) => layer))];
  const keys = keysOf(model);
  const proposal = (key: string, kind: CompletionItemKind) =>
    layerProposal(key, kind, keys.named(key).filter(isMatrix), choice);
  return [
    ...layers.map((layer) => proposal(layer, CompletionItemKind.Class)),
    ...globsOf(layers).map((glob) => proposal(glob, CompletionItemKind.Operator)),
    ...matrices.map(({ name }) => proposal(name, CompletionItemKind.Field)),
  ];
}

function layerProposal(
  key: string,
  kind: CompletionItemKind,
  weights: readonly DescribedWeight[],
  choice: Choice,
): LayerProposal {
  const side = shortestSide(matricesOf(weights));
  const parameters = choice ? firstParameters(choice.method, side, choice.policy) : {};
  const name = escaped(JSON.stringify(key));
  const numbers = weights.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const shapes = weights.length === 1 ? weights[0].shape.join(' x ') : `${weights.length} matrices`;
  return {
    label: key,
    kind,
    detail: `${shapes} · ${formatCount(numbers)} weights`,
    documentation: weightTable(weights),
    snippet: `${name}: ${exampleSnippet(parameters, new Places())}`,
    name,
  };
}

/** Weights that the table of a completion lists; the rest is counted. */
const LISTED = 12;

function weightTable(weights: readonly DescribedWeight[]): string {
  const rows = weights.slice(0, LISTED).map(({ name, shape }) => `| ${markdownText(name)} | ${shape.join(' x ')} |`);
  const rest = weights.length > LISTED ? [`| … ${weights.length - LISTED} more | |`] : [];
  return ['| weight | shape |', '| --- | ---: |', ...rows, ...rest].join('\n');
}

/** `lstm*` for two layers or more that begin alike and go on with a number, and `*` for all. */
function globsOf(layers: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const layer of layers) {
    const stem = layer.replace(/(?<!\d)\d+$/, '');
    if (stem !== '' && stem !== layer) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }
  const shared = [...counts].filter(([, count]) => count > 1).map(([stem]) => `${stem}*`);
  return [...shared, '*'];
}
