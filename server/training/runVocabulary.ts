/** @file The vocabulary of a text, kept in the run folder: a word's number is part of what the weights mean. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readVocabulary, type Vocabulary } from '../data/text/vocabulary.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { writeAtomically } from '../runs/disk.ts';
import type { Run } from '../runs/run.ts';

/**
 * Writes the vocabulary into a new run; in one that goes on, checks it.
 * @throws SettingError when the run has another
 */
export async function keepVocabulary(run: Run, vocabulary: Vocabulary | undefined): Promise<void> {
  if (vocabulary === undefined) return;
  if (existsSync(vocabularyFile(run))) await checkVocabulary(run, vocabulary, 'the run began with it');
  else await writeAtomically(vocabularyFile(run), vocabulary.toText());
}

/**
 * @param role of the run, for the message
 * @throws SettingError when the run has a vocabulary and it is another
 */
export async function checkVocabulary(run: Run, vocabulary: Vocabulary | undefined, role: string): Promise<void> {
  const file = vocabularyFile(run);
  if (vocabulary === undefined || !existsSync(file)) return;
  const difference = vocabulary.differenceFrom(await readVocabulary(file, 'vocabulary'));
  if (difference === undefined) return;
  throw new SettingError(['data'], `the vocabulary is not that of the run ${run.id} (${role}): ${difference}`, {
    remedy: `Use the same training text and vocabulary size, or set data.vocabulary to { "file": "${file}" }.`,
  });
}

function vocabularyFile(run: Run): string {
  return join(run.path, 'vocabulary.txt');
}
