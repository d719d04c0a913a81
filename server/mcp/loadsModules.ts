/** @file Telling which files make DeepTwist execute code of the workspace. */
import { hasEnding, moduleEndings } from '../protocol/model/modelEndings.ts';
import { JsonText } from '../protocol/experiment/jsonText.ts';
import { isRecord } from '../protocol/record.ts';
import { readExperiment } from '../runs/loadExperiment.ts';

/**
 * True for a module, and for an experiment file that names one: as its model, its data, its method, anywhere.
 * @param path absolute
 * @throws UserError for an experiment file that cannot be read
 */
export async function loadsModules(path: string): Promise<boolean> {
  if (hasEnding(path, moduleEndings)) return true;
  if (!path.toLowerCase().endsWith('.jsonc')) return false;
  const { text } = await readExperiment(path);
  return namesModule(new JsonText(text).value());
}

function namesModule(value: unknown): boolean {
  if (typeof value === 'string') return hasEnding(value, moduleEndings);
  if (Array.isArray(value)) return value.some(namesModule);
  return isRecord(value) && Object.values(value).some(namesModule);
}
