/** @file What a compression says as it is written, right or wrong, as far as the checks of combinations ask. */
import { isRecord } from '../record.ts';
import { writtenCompressions, type Placed } from './compressions.ts';
import { isMethod } from './methods/index.ts';
import { isPolicy } from './methods/policies.ts';
import type { Method, PolicyId } from './schema.ts';
import { DEFAULT_POLICY } from './schema/compression.ts';
import { valueAt } from './settingPath.ts';

export interface WrittenCompression extends Placed<unknown> {
  /** Undefined where it is missing or wrong, which is told elsewhere. */
  readonly method: Method | undefined;
  /** The default where none is written; undefined for a wrong one, which is told elsewhere. */
  readonly policy: PolicyId | undefined;
  /** Parameters by the keys of layers, right or wrong. */
  readonly layers: Readonly<Record<string, unknown>>;
}

/** The compressions of a file, in their order. @param document the settings before validation */
export function compressionsAsWritten(document: unknown): WrittenCompression[] {
  return writtenCompressions(document).map(({ path, settings }) => {
    const method = valueAt(settings, ['method']);
    const policy = valueAt(settings, ['policy']) ?? DEFAULT_POLICY;
    const layers = valueAt(settings, ['layers']);
    return {
      path,
      settings,
      method: isMethod(method) ? method : undefined,
      policy: isPolicy(policy) ? policy : undefined,
      layers: isRecord(layers) ? layers : {},
    };
  });
}
