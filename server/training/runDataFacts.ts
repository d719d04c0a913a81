/**
 * @file What the weights of a run suppose of its data, kept in the run folder: a text's vocabulary, the form of images and their
 * classes, the columns of a table.
 */
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { SettingError } from '../protocol/experiment/settingError.ts';
import { isRecord } from '../protocol/record.ts';
import { writeAtomically } from '../runs/disk.ts';
import type { Run } from '../runs/run.ts';
import { readKept } from './readKept.ts';
import { checkVocabulary, keepVocabulary } from './runVocabulary.ts';

type Facts = Pick<Dataset, 'vocabulary' | 'classes' | 'images' | 'table'>;

/** A file of the run folder that has what a sample becomes for the model. */
interface FactsFile {
  readonly name: string;
  /** What the samples are, for the message. */
  readonly samples: string;
  readonly remedy: string;
  /** Undefined where the data are not of that kind. */
  content(facts: Facts): Readonly<Record<string, unknown>> | undefined;
}

const factsFiles: readonly FactsFile[] = [
  {
    name: 'images.json',
    samples: 'images',
    remedy: 'Use the same classes, size, color and numbers of data.standardize.',
    content: ({ classes, images }) => images && { classes, ...images },
  },
  {
    name: 'table.json',
    samples: 'columns of the table',
    remedy: 'Use the same rows, columns, kinds and settings of data.',
    content: ({ table }) => table && { ...table },
  },
];

/**
 * Writes them into a new run; in one that goes on, checks them.
 * @throws SettingError when the data are not those that the run began with
 */
export async function keepDataFacts(run: Run, facts: Facts): Promise<void> {
  await keepVocabulary(run, facts.vocabulary);
  for (const file of factsFiles) {
    const content = file.content(facts);
    if (content === undefined || (await check(run, file, facts, 'the run began with them')) === 'known') continue;
    await writeAtomically(join(run.path, file.name), `${JSON.stringify(content, null, 2)}\n`);
  }
}

/**
 * @param role of the run, for the message
 * @throws SettingError when the run has others
 */
export async function checkDataFacts(run: Run, facts: Facts, role: string): Promise<void> {
  await checkVocabulary(run, facts.vocabulary, role);
  for (const file of factsFiles) await check(run, file, facts, role);
}

async function check(run: Run, file: FactsFile, facts: Facts, role: string): Promise<'known' | 'unknown'> {
  const text = await readKept(run, file.name);
  const content = file.content(facts);
  if (text === undefined || content === undefined) return 'unknown';
  const known = byName(parsed(text));
  const own = byName(content);
  const others = [...own].filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(known.get(name)));
  if (others.length === 0) return 'known';
  const differences = others.map(([name, value]) => `${name} ${shown(known.get(name))} there, ${shown(value)} here`);
  throw new SettingError(
    ['data'],
    `the ${file.samples} are not those of the run ${run.id} (${role}): ${differences.slice(0, NAMED).join('; ')}`,
    { remedy: file.remedy },
  );
}

/** Differences that a message names. */
const NAMED = 4;

/** Facts by their names: a list of records that have names becomes the list of these, and each record. */
function byName(facts: Readonly<Record<string, unknown>>): Map<string, unknown> {
  const all = new Map<string, unknown>();
  for (const [key, value] of Object.entries(facts)) {
    const named = Array.isArray(value) ? value.filter(isNamed) : [];
    all.set(key, named.length > 0 ? named.map(({ name }) => name) : value);
    for (const fact of named) all.set(`${key}.${fact.name}`, fact);
  }
  return all;
}

function isNamed(value: unknown): value is { readonly name: string } {
  return isRecord(value) && typeof value.name === 'string';
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
