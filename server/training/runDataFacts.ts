/** @file What the weights of a run suppose of its data, kept in the run folder: a text's vocabulary, the form of images and their classes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { isMissing } from '../protocol/systemError.ts';
import { writeAtomically } from '../runs/disk.ts';
import type { Run } from '../runs/run.ts';
import { keepVocabulary } from './runVocabulary.ts';

/**
 * Writes them into a new run; in one that goes on, checks them.
 * @throws SettingError when the data are not those that the run began with
 */
export async function keepDataFacts(run: Run, { vocabulary, classes, images }: Dataset): Promise<void> {
  await keepVocabulary(run, vocabulary);
  if (images !== undefined) await keepImages(run, `${JSON.stringify({ classes, ...images }, null, 2)}\n`);
}

async function keepImages(run: Run, facts: string): Promise<void> {
  const file = join(run.path, 'images.json');
  const before = await readFile(file, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (before === undefined) await writeAtomically(file, facts);
  else if (before !== facts)
    throw new SettingError(
      ['data', 'path'],
      `the images are not those that the run ${run.id} began with: compare its images.json with ${facts.replace(/\s+/g, ' ').trim()}`,
      { remedy: 'Bring the images back as they were, or start the experiment anew.' },
    );
}
