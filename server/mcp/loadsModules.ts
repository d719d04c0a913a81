/** @file Telling what makes DeepTwist execute code of the workspace. In doubt it does: the user is asked once too often. */
import { isModelPath } from '../models/modelFile.ts';
import { JsonText } from '../protocol/experiment/jsonText.ts';
import { applyOverride, parseOverride } from '../protocol/experiment/overrides.ts';
import { hasEnding, moduleEndings } from '../protocol/model/modelEndings.ts';
import { namesRun } from '../protocol/experiment/runReference.ts';
import { isRecord } from '../protocol/record.ts';
import { readExperiment } from '../runs/loadExperiment.ts';
import type { Run } from '../runs/run.ts';

/**
 * True where `describe` loads modules: for a module, and for an experiment file that names one. What has no name of a model is read as an
 * experiment, whatever its ending.
 * @param path absolute
 * @throws UserError for an experiment file that cannot be read
 */
export async function loadsModules(path: string): Promise<boolean> {
  return isModelPath(path) ? hasEnding(path, moduleEndings) : experimentLoadsModules(path);
}

/** True for an experiment file that names a module. @throws UserError when it cannot be read */
export async function experimentLoadsModules(path: string): Promise<boolean> {
  return namesModule((await readExperiment(path)).text, []);
}

/** True for a run that names a module: in its experiment, by `--set`, or as what it was changed to while it trained. */
export async function runLoadsModules(run: Run): Promise<boolean> {
  const { overrides, changes = [] } = run.record;
  return namesModule(await run.experimentText(), [...overrides, ...changes.flatMap(({ values }) => values)]);
}

/**
 * True where an experiment names a module: as its model, its data, its method, its teacher. A teacher that is a run may bring its own.
 * @param overrides `path=value` texts
 */
export function namesModule(text: string, overrides: readonly string[]): boolean {
  return hasModule(new JsonText(text).value()) || overrides.some(setsModule);
}

/** True for an override that names a module. Others may set the same value again, but that makes none of them harmless for sure. */
function setsModule(text: string): boolean {
  const override = parseOverride(text);
  const settings = Object.create(null) as Record<string, unknown>;
  return override === undefined || applyOverride(settings, override) !== undefined || hasModule(settings);
}

function hasModule(value: unknown): boolean {
  if (typeof value === 'string') return hasEnding(value, moduleEndings) || namesRun(value);
  if (Array.isArray(value)) return value.some(hasModule);
  if (!isRecord(value)) return false;
  // What these name is imported whatever its ending.
  return value.type === 'module' || value.module !== undefined || Object.values(value).some(hasModule);
}
