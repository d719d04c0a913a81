/** @file The vocabulary or the tokenizer of a text, kept in the run folder: a token's number is part of what the weights mean. */
import { join } from 'node:path';
import type { TextVocabulary } from '../data/text/vocabulary.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { writeAtomically } from '../runs/disk.ts';
import type { Run } from '../runs/run.ts';
import { readKept } from './readKept.ts';

const FILES: readonly TextVocabulary['file'][] = ['vocabulary.txt', 'tokenizer.json'];

/**
 * Writes the vocabulary into a new run; in one that goes on, checks it.
 * @throws SettingError when the run has another
 */
export async function keepVocabulary(run: Run, vocabulary: TextVocabulary | undefined): Promise<void> {
  if (vocabulary === undefined || (await checkVocabulary(run, vocabulary, 'the run began with it')) === 'known') return;
  await writeAtomically(join(run.path, vocabulary.file), vocabulary.toText());
}

/**
 * @param role of the run, for the message
 * @throws SettingError when the run has a vocabulary and it is another
 */
export async function checkVocabulary(
  run: Run,
  vocabulary: TextVocabulary | undefined,
  role: string,
): Promise<'known' | 'unknown'> {
  const kept = vocabulary && (await keptIn(run));
  if (!kept) return 'unknown';
  const { file, text } = kept;
  const difference =
    file === vocabulary.file ? vocabulary.differenceFrom(text) : `it has ${vocabulary.file} in place of ${file}`;
  if (difference === undefined) return 'known';
  const path = join(run.path, file);
  throw new SettingError(['data'], `the vocabulary is not that of the run ${run.id} (${role}): ${difference}`, {
    remedy:
      file === 'tokenizer.json'
        ? `Use the same tokenizer, or set data.tokenizer to "${path}".`
        : `Use the same training text and vocabulary size, or set data.vocabulary to { "file": "${path}" }.`,
  });
}

async function keptIn(run: Run): Promise<{ file: TextVocabulary['file']; text: string } | undefined> {
  for (const file of FILES) {
    const text = await readKept(run, file);
    if (text !== undefined) return { file, text };
  }
  return undefined;
}
