/**
 * @file The compression of an experiment file as far as it can be read: what is right is explained while the rest is being
 * typed.
 */
import type { LayerSetting } from '../compression/predictSize.ts';
import { isMethod } from '../protocol/experiment/methods/index.ts';
import { policyFacts } from '../protocol/experiment/methods/policies.ts';
import type { Method, PolicyId, PruningSchedule } from '../protocol/experiment/schema.ts';
import { compressionSchemas, DEFAULT_POLICY } from '../protocol/experiment/schema/compression.ts';
import type { ExperimentDocument } from './experimentDocument.ts';
import { recordAt } from './writtenSettings.ts';

export interface ReadCompression {
  readonly method: Method;
  /** What is wrong with it is passed over in favour of the default. */
  readonly policy: PolicyId;
  readonly distortEvery: number | undefined;
  /** By key; undefined where parameters are missing or wrong. */
  readonly layers: ReadonlyMap<string, LayerSetting | undefined>;
  readonly schedule: ReadSchedule | undefined;
}

/** Times are in the unit of the file. */
export interface ReadSchedule {
  readonly from: number;
  readonly unit: 'steps' | 'epochs';
  /** Of a pruning schedule. */
  readonly rise?: { readonly to: number; readonly initialRate: number; readonly exponent: number };
}

/** Undefined where there is no compression, or its method is not known. */
export function readCompression(document: ExperimentDocument): ReadCompression | undefined {
  const section = recordAt(document, ['compression']);
  const { method } = section;
  if (!isMethod(method)) return undefined;
  const { shape } = compressionSchemas[method];
  const policy = shape.policy.safeParse(section.policy);
  const distortEvery = shape.distortEvery.safeParse(section.distortEvery);
  return {
    method,
    policy: policy.data ?? DEFAULT_POLICY,
    distortEvery: distortEvery.data,
    layers: new Map(
      Object.entries(recordAt(document, ['compression', 'layers'])).map(([key, value]) => [
        key,
        layerSetting(method, value),
      ]),
    ),
    schedule: scheduleOf(method, section.schedule),
  };
}

/** Whether distortions happen every S_D steps: the other policies compress at every step, or once. */
export function distortsRegularly({ policy }: ReadCompression): boolean {
  return policyFacts[policy].distorts === 'every-so-often';
}

export function layerSetting(method: Method, value: unknown): LayerSetting | undefined {
  const { data: parameters } = compressionSchemas[method].shape.layers.valueType.safeParse(value);
  return parameters && ({ method, parameters } as LayerSetting);
}

function scheduleOf(method: Method, value: unknown): ReadSchedule | undefined {
  const data: Partial<PruningSchedule> | undefined = compressionSchemas[method].shape.schedule.safeParse(value).data;
  if (!data) return undefined;
  const { from = 0, unit = 'steps', to, initialRate, exponent } = data;
  const rises = to !== undefined && initialRate !== undefined && exponent !== undefined;
  return { from, unit, ...(rises && { rise: { to, initialRate, exponent } }) };
}
