/** @file Trains what is left of studies, and writes their records, pages and pictures as results come. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { svgFile } from '../../../webview/report/svgFile.ts';
import { chosenOf, Outcomes, type FindRecord } from './outcomes.ts';
import { pageOf } from './page.ts';
import { chooserOf, finalsOf, triesOf, type Case, type Rival, type Study } from './study.ts';
import type { Trainer } from './trainer.ts';
import { whatHolds } from './whatHolds.ts';

/**
 * Trains the rivals of a case one after another as far as there are free cores: all runs of the first come before those of the second.
 * @param onResult is called when all runs of a rival are finished
 */
export async function trainCases(
  cases: readonly Case[],
  { trainer, find, seeds }: { readonly trainer: Trainer; readonly find: FindRecord; readonly seeds: number },
  onResult: () => Promise<void>,
): Promise<void> {
  const trainRival = async (work: Case, rival: Rival, rank: number): Promise<void> => {
    const chooser = chooserOf(work, rival);
    await Promise.all(triesOf(chooser.work, chooser.rival).map((training) => trainer.train(training, rank)));
    const chosen = chosenOf(work, rival, find);
    if (!chosen) return;
    await Promise.all(finalsOf(work, rival, chosen, seeds).map((training) => trainer.train(training, rank)));
    await onResult();
  };
  const rivals = cases.flatMap((work) => work.rivals.map((rival) => ({ work, rival })));
  await Promise.all(rivals.map(({ work, rival }, rank) => trainRival(work, rival, rank)));
}

interface WritingOptions {
  /** All studies: claims can be of several. */
  readonly studies: readonly Study[];
  readonly find: FindRecord;
  readonly seeds: number;
  /** Folder of the pages and of the pictures. */
  readonly folder: string;
}

/** Writes the pages of all studies, their pictures, and what holds; what is the same as before keeps its bytes. */
export async function writePages({ studies, find, seeds, folder }: WritingOptions): Promise<void> {
  const outcomes = new Outcomes(
    studies.flatMap(({ cases }) => cases),
    seeds,
    find,
  );
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  for (const study of studies) {
    const drawn = new Set<string>();
    for (const { name, title, content } of study.figures ?? []) {
      const drawing = content(outcomes);
      const picture = drawing && svgFile(title, drawing);
      if (picture === undefined) continue;
      write(`${name}.svg`, picture);
      drawn.add(name);
    }
    write(`${study.name}.md`, await markdown(pageOf(study, { outcomes, find, seeds, drawn })));
  }
  write('what-holds.md', await markdown(whatHolds(outcomes)));
}

const markdown = (text: string) => format(text, { parser: 'markdown', printWidth: 140 });
