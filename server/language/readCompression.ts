/**
 * @file The compressions of an experiment file as far as they can be read, so that the language server can explain them while the
 * rest of the file is being typed.
 */
import type { LayerSetting } from '../compression/predictSize.ts';
import { withinCompression, writtenCompressions } from '../protocol/experiment/compressions.ts';
import { isMethod, isSizePredicted } from '../protocol/experiment/methods/index.ts';
import { policyFacts } from '../protocol/experiment/methods/policies.ts';
import { isOpen } from '../protocol/experiment/openSettings.ts';
import type { Method, PolicyId } from '../protocol/experiment/schema.ts';
import { compressionSchemas, DEFAULT_POLICY, type PruningSchedule } from '../protocol/experiment/schema/compression.ts';
import { isWithin, type SettingPath } from '../protocol/experiment/settingPath.ts';
import { readTimes, type CompressionTimes } from '../protocol/experiment/times.ts';
import type { ExperimentDocument } from './experimentDocument.ts';
import { recordAt } from './writtenSettings.ts';

export interface ReadCompression {
  /** `compression`, or `compression[1]` in a list. */
  readonly path: SettingPath;
  readonly times: CompressionTimes;
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

/** The compressions whose method is known, in their order. */
export function readCompressions(document: ExperimentDocument): ReadCompression[] {
  const { compressions } = readTimes(document.settings);
  return writtenCompressions(document.settings).flatMap(({ path }, i) => {
    const section = recordAt(document, path);
    const { method } = section;
    if (!isMethod(method)) return [];
    const { shape } = compressionSchemas[method];
    const policy = shape.policy.safeParse(section.policy);
    const layers = Object.entries(recordAt(document, [...path, 'layers']));
    return {
      path,
      times: compressions[i],
      method,
      policy: policy.data ?? DEFAULT_POLICY,
      layers: new Map(layers.map(([key, value]) => [key, layerSetting(method, value)])),
      schedule: scheduleOf(method, section.schedule),
    };
  });
}

/** The compression that a path leads into, or is that of; undefined for any other path, and where its method is not known. */
export function compressionAt(document: ExperimentDocument, path: SettingPath): ReadCompression | undefined {
  const within = withinCompression(path);
  return within && readCompressions(document).find((read) => isWithin(within.compression, read.path));
}

/** The key of `layers` that a path leads to, or into, and the way from there. */
export function layerAt(path: SettingPath): { layers: SettingPath; key: string; inner: SettingPath } | undefined {
  const within = withinCompression(path);
  if (!within) return undefined;
  const [layers, key, ...inner] = within.inner;
  return layers === 'layers' && typeof key === 'string'
    ? { layers: [...within.compression, layers], key, inner }
    : undefined;
}

/** True for policies that distort every S_D steps: the others compress at every step, or once. */
export function distortsRegularly({ policy }: ReadCompression): boolean {
  return policyFacts[policy].distorts === 'every-so-often';
}

/** True for a compression of which only training tells how much it leaves. */
export function isSizeTrained({ method, policy }: Pick<ReadCompression, 'method' | 'policy'>): boolean {
  return !isSizePredicted(method) || policyFacts[policy].findsRate === true;
}

/** True if shapes and settings tell how much a compression leaves of the weights of one of its keys. */
export function isSizeKnown(compression: ReadCompression, key: string): boolean {
  const setting = compression.layers.get(key);
  return setting !== undefined && !isSizeTrained(compression) && !isOpen(compression, setting.parameters);
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
