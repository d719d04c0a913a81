/**
 * @file The compression of an experiment file as far as it can be read, so that the language server can explain it while the
 * rest of the file is being typed. Its times are read by `readTimes`.
 */
import type { LayerSetting } from '../compression/predictSize.ts';
import { isMethod } from '../protocol/experiment/methods/index.ts';
import { policyFacts } from '../protocol/experiment/methods/policies.ts';
import type { Method, PolicyId } from '../protocol/experiment/schema.ts';
import { compressionSchemas, DEFAULT_POLICY, type PruningSchedule } from '../protocol/experiment/schema/compression.ts';
import type { ExperimentDocument } from './experimentDocument.ts';
import { recordAt } from './writtenSettings.ts';

export interface ReadCompression {
  readonly method: Method;
  /** The default where the file gives none, or a wrong one. */
  readonly policy: PolicyId;
  /** Setting of each key; undefined where parameters are missing or wrong. */
  readonly layers: ReadonlyMap<string, LayerSetting | undefined>;
  readonly schedule: ReadSchedule | undefined;
}

/** What a schedule has besides its times. */
export interface ReadSchedule {
  /** How the rate of a pruning schedule rises; undefined for other methods. */
  readonly rise?: { readonly initialRate: number; readonly exponent: number };
}

/** @returns undefined where there is no compression, or its method is not known */
export function readCompression(document: ExperimentDocument): ReadCompression | undefined {
  const section = recordAt(document, ['compression']);
  const { method } = section;
  if (!isMethod(method)) return undefined;
  const { shape } = compressionSchemas[method];
  const policy = shape.policy.safeParse(section.policy);
  return {
    method,
    policy: policy.data ?? DEFAULT_POLICY,
    layers: new Map(
      Object.entries(recordAt(document, ['compression', 'layers'])).map(([key, value]) => [
        key,
        layerSetting(method, value),
      ]),
    ),
    schedule: scheduleOf(method, section.schedule),
  };
}

/** True for policies that distort every S_D steps: the others compress at every step, or once. */
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
  const { initialRate, exponent } = data;
  return initialRate === undefined || exponent === undefined ? {} : { rise: { initialRate, exponent } };
}
