/** @file The places at which the text of a model makes the layers of its description. */
import type { ModelDescription } from '../protocol/model/modelDescription.ts';
import { layerCalls, locateLayers, type LayerCall } from '../protocol/model/modelText.ts';

/** The call of each layer, by the layer's name; layers that no call is found for are left out. */
export function locatedLayers(model: ModelDescription, text: string): Map<string, LayerCall> {
  const layers = [...new Map(model.weights.map(({ layer, layerClass }) => [layer, { layer, layerClass }])).values()];
  return new Map(Array.from(locateLayers(layers, layerCalls(text)), ([{ layer }, call]) => [layer, call]));
}
