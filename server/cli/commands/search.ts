/** @file `deeptwist search`. */
import { statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { encodeText } from '../../formats/text.ts';
import { searchBudget } from '../../protocol/experiment/searchBudget.ts';
import { writeSettings } from '../../protocol/experiment/writeSettings.ts';
import { formatBytes, formatCount, formatDrop, formatNumber, formatRatio } from '../../protocol/formatQuantity.ts';
import { faultOf } from '../../protocol/run/fault.ts';
import { printableJson } from '../../protocol/printable.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { readExperiment } from '../../runs/loadExperiment.ts';
import { pathWord } from '../../runs/pathWord.ts';
import type { SearchedRun, SearchEvent, SearchReport } from '../../search/index.ts';
import { findSweep } from '../../sweeps/findSweep.ts';
import { isSearch } from '../../sweeps/searchState.ts';
import type { Sweep } from '../../sweeps/sweepFolder.ts';
import type { Command, CommandContext } from '../command.ts';
import { ExportStatus } from '../exportStatus.ts';
import { parallelOf, parallelOption } from '../sweepWork.ts';
import { styled, writeLines } from '../terminal.ts';
import { searchReportLines } from '../searchReport.ts';
import { wrongUsage } from '../wrongUsage.ts';
import { setOption } from './train.ts';

export const searchCommand: Command = {
  name: 'search',
  positionals: { usage: 'FILE|SEARCH', minimum: 1, maximum: 1 },
  summary: 'Find the rates, bits or ranks that reach the "target" of an experiment file, or go on with a search.',
  options: {
    set: setOption,
    budget: {
      type: 'string',
      value: 'N',
      description: `Runs of the full length that all training together may take; default: ${searchBudget.usual}.`,
    },
    parallel: parallelOption,
    write: { type: 'boolean', description: 'Write the values that are found into the experiment file.' },
    json: {
      type: 'boolean',
      description: 'Print each run when it has ended, and then the result, one JSON object a line, and nothing else.',
    },
  },
  outlivesOutput: true,
  async run({ positionals: [reference], options }, context) {
    const { set, budget, write = false, json = false } = options;
    const parallel = parallelOf('search', options.parallel);
    const file = resolve(context.directory, reference);
    const isNew = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
    if (!isNew && (set ?? budget) !== undefined)
      throw wrongUsage(
        'search',
        '--set and --budget are for a new search',
        'Give an experiment file, or leave them out.',
      );
    const searcher = await context.loadSearcher();
    const found = isNew
      ? await searcher.newSearch(file, { overrides: set ?? [], budget: budgetOf(budget), now: new Date(context.now()) })
      : await findSweep(reference, context.directory);
    if (!found)
      throw new UserError(`There is no experiment file and no search '${reference}' in ${context.directory}.`, {
        remedy: 'Give the path of a file, or the id of a search, which is the name of its folder in .deeptwist/sweeps.',
        exitCode: ExitCode.usage,
      });
    if (!isSearch(found))
      throw new UserError(`${found.id} is a sweep whose runs were all planned before: there is nothing to search.`, {
        remedy: `Go on with it: deeptwist sweep ${pathWord(found.path, context.directory)}`,
        exitCode: ExitCode.usage,
      });
    return follow(found, context, { json, write }, (how) =>
      searcher.goOnSearching(found, { parallel, sidecarScript: context.sidecarScript, ...how }),
    );
  },
};

/** @throws UserError for what is no budget */
function budgetOf(text: string | undefined): number {
  const budget = Number(text ?? searchBudget.usual);
  if (Number.isFinite(budget) && budget >= searchBudget.least && budget <= searchBudget.most) return budget;
  throw wrongUsage(
    'search',
    `--budget is a number from ${searchBudget.least} to ${searchBudget.most}, got '${text}'`,
    'Give for example 10.',
  );
}

interface Following {
  readonly signal: AbortSignal;
  readonly onEvent: (event: SearchEvent) => void;
}

async function follow(
  sweep: Sweep,
  { stdout, stderr, directory, onInterrupt }: CommandContext,
  { json, write }: { json: boolean; write: boolean },
  work: (how: Following) => Promise<SearchReport>,
): Promise<number> {
  const terminal = json ? stderr : stdout;
  const status = new ExportStatus(stderr);
  const print = (lines: readonly string[]) => {
    status.clear();
    writeLines(terminal, lines);
  };
  print([styled(terminal, 'bold', sweep.id)]);
  const path = (of: string) => pathWord(of, directory);
  const goOn = `deeptwist search ${path(sweep.path)}${write ? ' --write' : ''}`;
  const interrupt = onInterrupt(() =>
    print([
      'Stopping the runs after their step and saving everything; press Ctrl-C again to leave them to themselves.',
    ]),
  );
  const onEvent = (event: SearchEvent) => {
    if (event.type === 'measuring') return status.show(event.progress);
    if (json && event.type === 'run') return void stdout.write(`${printableJson(event)}\n`);
    print([eventText(event)]);
  };
  let report: SearchReport;
  try {
    report = await work({ signal: interrupt.signal, onEvent });
    if (json) stdout.write(`${printableJson({ type: 'search', ...report })}\n`);
    else print(['', ...searchReportLines(report, stdout)]);
  } catch (error) {
    const isLasting = !interrupt.signal.aborted && faultOf(error) !== undefined;
    print([
      isLasting
        ? `The search keeps its settings. When they are mended, search again: deeptwist search ${path(sweep.experiment)}`
        : `Go on with: ${goOn}`,
    ]);
    if (interrupt.signal.aborted) return ExitCode.stopped;
    throw error;
  } finally {
    status.clear();
    interrupt.dispose();
  }
  if (write && report.isMet && report.best)
    await writeInto(report.experiment, report.best.compression).catch((error: unknown) => {
      print([`What was found is kept. When that is mended, write it by: ${goOn}`]);
      throw error;
    });
  return report.isMet ? ExitCode.done : ExitCode.failed;
}

function eventText(event: Exclude<SearchEvent, { type: 'measuring' }>): string {
  switch (event.type) {
    case 'reference': {
      const how = { reused: 'a run that is there', start: 'what the experiment starts from', trained: 'trained' }[
        event.how
      ];
      return `dense model  ${event.metric} ${formatNumber(event.value)} on the validation split  (${how}: ${event.run})`;
    }
    case 'started':
      return `[${formatCount(event.line)}] ${event.how} ${event.run}  ${lengthText(event.length)}, ${event.purpose}`;
    case 'run':
      return `[${formatCount(event.line)}] ${event.way}, ${lengthText(event.length)}  ${resultText(event)}`;
  }
}

function lengthText(length: number): string {
  return length === 1 ? 'full run' : `short run (${formatNumber(length)})`;
}

function resultText({ value, drop, bytes, ratio }: SearchedRun): string {
  if (value === null || drop === null || bytes === null || ratio === null) return 'diverged';
  return `${formatNumber(value)}, drop ${formatDrop(drop)}  ${formatBytes(bytes)}, ${formatRatio(ratio)}`;
}

/** Replaces `compression` in a file; the rest stays as it is written, comments and encoding too. */
async function writeInto(file: string, compression: unknown): Promise<void> {
  const { text } = await readExperiment(file);
  const written = writeSettings(text, [{ path: ['compression'], value: compression }]);
  await writeFile(file, encodeText(written, await readFile(file)));
}
