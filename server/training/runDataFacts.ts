/** @file What the weights of a run suppose of its data, kept in the run folder: a text's vocabulary, the form of images and their classes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { isRecord } from '../protocol/record.ts';
import { isMissing } from '../protocol/systemError.ts';
import { writeAtomically } from '../runs/disk.ts';
import type { Run } from '../runs/run.ts';
import { checkVocabulary, keepVocabulary } from './runVocabulary.ts';

type Facts = Pick<Dataset, 'vocabulary' | 'classes' | 'images'>;

/**
 * Writes them into a new run; in one that goes on, checks them.
 * @throws SettingError when the data are not those that the run began with
 */
export async function keepDataFacts(run: Run, facts: Facts): Promise<void> {
  await keepVocabulary(run, facts.vocabulary);
  const { classes, images } = facts;
  if (images === undefined || (await checkImages(run, facts, 'the run began with them')) === 'known') return;
  await writeAtomically(imagesFile(run), `${JSON.stringify({ classes, ...images }, null, 2)}\n`);
}

/**
 * @param role of the run, for the message
 * @throws SettingError when the run has others
 */
export async function checkDataFacts(run: Run, facts: Facts, role: string): Promise<void> {
  await checkVocabulary(run, facts.vocabulary, role);
  await checkImages(run, facts, role);
}

async function checkImages(run: Run, { classes, images }: Facts, role: string): Promise<'known' | 'unknown'> {
  const text = await readFile(imagesFile(run), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (text === undefined || images === undefined) return 'unknown';
  const known = parsed(text);
  const others = Object.entries({ classes, ...images }).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(known[name]),
  );
  if (others.length === 0) return 'known';
  const differences = others.map(([name, value]) => `${name} ${shown(known[name])} there, ${shown(value)} here`);
  throw new SettingError(
    ['data'],
    `the images are not those of the run ${run.id} (${role}): ${differences.join('; ')}`,
    {
      remedy: 'Use the same classes, size, color and numbers of data.standardize.',
    },
  );
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

/** A thousand classes are not listed. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'unknown';
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

function imagesFile(run: Run): string {
  return join(run.path, 'images.json');
}
