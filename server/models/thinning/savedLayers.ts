/** @file The layers of a saved model, `modelTopology` of a model.json: visited with their paths, and changed. */
import { isRecord } from '../../protocol/record.ts';

/** As `modelTopology` gives it. */
export type SavedModel = Readonly<Record<string, unknown>>;

/** A layer in a saved model. */
export interface SavedLayer extends SavedModel {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * What a layer becomes: one or several in its place.
 * @param isWrapped true for a layer within a wrapper, which holds one
 */
export type ChangeLayer = (path: string, layer: SavedLayer, isWrapped: boolean) => readonly SavedLayer[];

/** Changes all layers of a model, those within others first. @param change gets each with its path: `encoder/fc1` */
export function mapLayers(model: SavedModel, change: ChangeLayer): SavedModel {
  return changeWithin(model, '', change);
}

function changeWithin(layer: SavedModel, path: string, change: ChangeLayer): SavedModel {
  const { config } = layer;
  if (!isRecord(config)) return layer;
  const pathOf = ({ config: { name } }: SavedLayer) => (path === '' ? String(name) : `${path}/${String(name)}`);
  const changed = (child: unknown, isWrapped: boolean): readonly unknown[] => {
    if (!isSavedLayer(child)) return [child];
    const own = pathOf(child);
    return change(own, changeWithin(child, own, change) as SavedLayer, isWrapped);
  };
  const { layers, layer: wrapped } = config;
  return {
    ...layer,
    config: {
      ...config,
      ...(Array.isArray(layers) && { layers: layers.flatMap((child) => changed(child, false)) }),
      ...(isRecord(wrapped) && { layer: changed(wrapped, true)[0] }),
    },
  };
}

function isSavedLayer(value: unknown): value is SavedLayer {
  return isRecord(value) && typeof value.class_name === 'string' && isRecord(value.config);
}
