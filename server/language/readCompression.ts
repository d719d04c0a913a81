/**
 * @file The compression of an experiment file as far as it can be read: what is right is explained while the rest is being
 * typed.
 */
import type { LayerSetting } from '../compression/predictSize.ts';
import type { Method, PolicyId } from '../protocol/experiment/schema.ts';
import { compressionSchemas } from '../protocol/experiment/schema/compression.ts';
import { policyTraits } from '../protocol/experiment/policyTraits.ts';
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
  if (typeof method !== 'string' || !Object.hasOwn(compressionSchemas, method)) return undefined;
  const { shape } = compressionSchemas[method as Method];
  const policy = shape.policy.safeParse(section.policy);
  const distortEvery = shape.distortEvery.safeParse(section.distortEvery);
  return {
    method: method as Method,
    policy: policy.data ?? 'deeptwist',
    distortEvery: distortEvery.data,
    layers: new Map(
      Object.entries(recordAt(document, ['compression', 'layers'])).map(([key, value]) => [
        key,
        layerSetting(method as Method, value),
      ]),
    ),
    schedule: scheduleOf(method as Method, section.schedule),
  };
}

/** Whether distortions happen every S_D steps: the other policies compress at every step, or once. */
export function distortsRegularly({ policy }: ReadCompression): boolean {
  return policyTraits[policy].distorts === 'every-so-often';
}

export function layerSetting(method: Method, value: unknown): LayerSetting | undefined {
  const { data: parameters } = compressionSchemas[method].shape.layers.valueType.safeParse(value);
  return parameters && ({ method, parameters } as LayerSetting);
}

function scheduleOf(method: Method, value: unknown): ReadSchedule | undefined {
  if (method === 'prune') {
    const { data } = compressionSchemas.prune.shape.schedule.safeParse(value);
    return data && { from: data.from, unit: data.unit ?? 'steps', rise: data };
  }
  const { data } = compressionSchemas[method].shape.schedule.safeParse(value);
  return data && { from: data.from, unit: data.unit ?? 'steps' };
}
