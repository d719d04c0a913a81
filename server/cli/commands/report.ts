/** @file `deeptwist report`: runs as a page to send, or as a model card. */
import { createHash } from 'node:crypto';
import { relative, resolve } from 'node:path';
import { printableJson } from '../../protocol/printable.ts';
import type { RenderedReport, ReportedRun } from '../../protocol/run/report.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { checkTarget } from '../../export/target.ts';
import { writeAtomically } from '../../runs/disk.ts';
import { findRun } from '../../runs/findRun.ts';
import { pathWord } from '../../runs/pathWord.ts';
import { choiceOf } from '../choiceOf.ts';
import type { Command, CommandContext } from '../command.ts';
import { progressOf, progressOption } from '../progressLines.ts';
import { wrongUsage } from '../wrongUsage.ts';

const formats = ['html', 'model-card'] as const;
const extensions = { html: 'html', 'model-card': 'md' } as const;

export const reportCommand: Command = {
  name: 'report',
  positionals: { usage: 'RUN…', minimum: 1, maximum: Infinity },
  summary:
    'Write a page about runs that needs no network: results, curves, sizes, settings and how to have them again.',
  options: {
    out: { type: 'string', value: 'FILE', description: 'Path of the file; default: the id of the first run, here.' },
    format: {
      type: 'string',
      value: 'FORMAT',
      description: `Format: ${formats.join(', ')}; default: the first. A model card is Markdown with the head that the Hugging Face Hub reads.`,
    },
    title: { type: 'string', value: 'TEXT', description: 'Title of the page; default: the name of the experiment.' },
    json: { type: 'boolean', description: 'Print the path and the size of the file as one JSON object.' },
    progress: progressOption,
  },
  async run({ positionals, options }, context) {
    const format = choiceOf('report', 'format', formats, options.format) ?? 'html';
    progressOf('report', options.progress);
    if (format === 'model-card' && positionals.length > 1)
      throw wrongUsage('report', 'a model card is of one run', 'Give one RUN.');
    if (format === 'model-card' && options.title !== undefined)
      throw wrongUsage('report', '--title is not for a model card', 'Leave it out.');
    const runs = await Promise.all(positionals.map((reference) => findRun(reference, context.directory)));
    const different = [...new Map(runs.map((run) => [run.path, run])).values()];
    const path = resolve(context.directory, options.out ?? `${different[0].id}.${extensions[format]}`);
    await checkTarget(path, { isFolder: false });
    const { reportedRun } = await import('../reportData.ts');
    const reported: ReportedRun[] = [];
    // One after the other: of each, all recorded numbers are held.
    for (const run of different) reported.push(await reportedRun(run));
    const names = [...new Set(different.map(({ record }) => record.name))];
    const content =
      format === 'html'
        ? await page(reported, options.title ?? names.join(', '), context)
        : await card(reported[0], `deeptwist resume ${pathWord(different[0].path, context.directory)}`);
    await writeAtomically(path, content, { isFileOfItsOwn: true });
    const bytes = Buffer.byteLength(content);
    if (options.json) context.stdout.write(printableJson({ path, bytes, runs: reported.map(({ id }) => id) }) + '\n');
    else context.stdout.write(`${relative(context.directory, path)}\n`);
    return ExitCode.done;
  },
};

async function page(
  runs: readonly ReportedRun[],
  title: string,
  { loadReporter, now, version }: CommandContext,
): Promise<string> {
  const { reportData } = await import('../reportData.ts');
  const { renderReport } = await loadReporter();
  return pageOf(renderReport(reportData(runs, { title, time: now(), deeptwist: version })));
}

/** Nothing but its own style can be loaded or run in the page, whatever the runs have in them. */
function pageOf({ title, style, body }: RenderedReport): string {
  const hash = createHash('sha256').update(style).digest('base64');
  const escaped = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="DeepTwist">
<title>${escaped}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** @param resume the command that goes on with the run */
async function card(run: ReportedRun, resume: string): Promise<string> {
  const { cardRun, modelCard } = await import('../modelCard.ts');
  const finished = cardRun(run);
  if (finished) return modelCard(finished);
  throw new UserError(`The run ${run.id} has no final model for a card: it is ${run.state}.`, {
    remedy: `Finish it with \`${resume}\`, or write a page about it: leave out --format.`,
  });
}
