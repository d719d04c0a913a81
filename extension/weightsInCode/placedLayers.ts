/** @file The weights of a run at the lines of a text that make their layers. Pure. */
import { blankComments, layerCalls, locateLayers, type LayerCall } from '../../server/protocol/model/modelText.ts';
import type { locateModules } from '../../server/protocol/model/pythonModules.ts';
import { countOf, shareLeft, type MeasuredWeight } from './measures.ts';

/** A call that makes layers, and their weights that are worth showing: the compressed ones, or else all. */
export interface PlacedLayer {
  readonly call: LayerCall;
  readonly weights: readonly MeasuredWeight[];
  /** True if the call makes several layers of the model. */
  readonly several: boolean;
}

/** In the order of the text. */
export function placeLayers(text: string, weights: readonly MeasuredWeight[]): PlacedLayer[] {
  const names = [...new Set(weights.map(({ layer }) => layer))];
  const places = locateLayers(
    names.map((layer) => ({ layer })),
    layerCalls(text),
  );
  return placed(
    Array.from(places, ([{ layer }, call]) => [layer, call]),
    weights,
    ({ layer }) => layer,
  );
}

/** Finds modules in Python code. */
export type LocateModules = typeof locateModules;

/** The same for Python code and weights that come from PyTorch. */
export function placeModules(locate: LocateModules, text: string, weights: readonly MeasuredWeight[]): PlacedLayer[] {
  const modules = [...new Set(weights.flatMap(({ module }) => module ?? []))];
  return modules.length === 0 ? [] : placed([...locate(text, modules)], weights, ({ module }) => module);
}

function placed(
  places: readonly (readonly [name: string, call: LayerCall])[],
  weights: readonly MeasuredWeight[],
  nameOf: (weight: MeasuredWeight) => string | undefined,
): PlacedLayer[] {
  // One place may make several layers; its call is then another object for each.
  const byPlace = new Map<number, { readonly call: LayerCall; readonly names: Set<string | undefined> }>();
  for (const [name, call] of places) {
    const known = byPlace.get(call.start);
    if (known) known.names.add(name);
    else byPlace.set(call.start, { call, names: new Set([name]) });
  }
  return [...byPlace.values()]
    .map(({ call, names }): PlacedLayer => {
      const own = weights.filter((weight) => names.has(nameOf(weight)));
      const compressed = own.filter((weight) => weight.compressed);
      return { call, weights: compressed.length > 0 ? compressed : own, several: names.size > 1 };
    })
    .sort((a, b) => a.call.start - b.call.start);
}

/** The innermost layer whose function or name is written at an offset. */
export function layerAt(layers: readonly PlacedLayer[], offset: number): PlacedLayer | undefined {
  return layers.findLast(({ call: { start, kind, name } }) => {
    const isFunction = offset >= start && offset <= start + kind.length;
    return isFunction || (name !== undefined && offset >= name.start && offset <= name.end);
  });
}

/** How many of the bytes of some weights are left, 0 to 1; undefined where that is not known of one of them. */
export function shareLeftOf(weights: readonly MeasuredWeight[]): number | undefined {
  let whole = 0;
  let left = 0;
  for (const weight of weights) {
    const share = shareLeft(weight);
    if (share === undefined) return undefined;
    whole += countOf(weight);
    left += share * countOf(weight);
  }
  return whole === 0 ? undefined : left / whole;
}

/** True if a text has other code than the one that a run used. Comments and white space do not count. */
export function isOtherCode(text: string, used: string): boolean {
  return text !== used && codeOf(text) !== codeOf(used);
}

function codeOf(text: string): string {
  return blankComments(text)
    .replace(/^\uFEFF/, '')
    .replace(/\s+/g, ' ')
    .trim();
}
