/** @file Telling what makes DeepTwist execute code of the workspace. */
import { JsonText } from '../protocol/experiment/jsonText.ts';
import { hasEnding, moduleEndings } from '../protocol/model/modelEndings.ts';
import { RUN } from '../protocol/experiment/runReference.ts';
import { isRecord } from '../protocol/record.ts';
import { readExperiment } from '../runs/loadExperiment.ts';
import type { Run } from '../runs/run.ts';

/**
 * True for a module, and for an experiment file that names one.
 * @param path absolute
 * @throws UserError for an experiment file that cannot be read
 */
export async function loadsModules(path: string): Promise<boolean> {
  if (hasEnding(path, moduleEndings)) return true;
  return path.toLowerCase().endsWith('.jsonc') && namesModule((await readExperiment(path)).text, []);
}

/** True for a run whose experiment names a module. */
export async function runLoadsModules(run: Run): Promise<boolean> {
  return namesModule(await run.experimentText(), run.record.overrides);
}

/**
 * True where an experiment names a module: as its model, its data, its method, its teacher. A teacher that is a run may bring its own.
 * @param overrides `path=value` texts
 */
export function namesModule(text: string, overrides: readonly string[]): boolean {
  const values = [new JsonText(text).value(), ...overrides.map((override) => override.replaceAll('"', ''))];
  return values.some(hasModule);
}

function hasModule(value: unknown): boolean {
  if (typeof value === 'string') return hasEnding(value, moduleEndings) || value.startsWith(RUN);
  if (Array.isArray(value)) return value.some(hasModule);
  return isRecord(value) && Object.values(value).some(hasModule);
}
