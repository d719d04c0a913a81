/**
 * @file The process in which cases are read, so that one that hangs or takes all memory can be killed. Started by
 * fuzzing.ts, which asks for a range of cases of a subject and hears of each before and after it.
 */
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OpenedFiles } from './openedFiles.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
// Before the readers are loaded, which take the functions of node:fs when they are.
const opened = new OpenedFiles([resolve(root), '/proc']);
const { Random } = await import('../../../server/formats/random.ts');
const { UserError } = await import('../../../server/protocol/userError.ts');
const { pick } = await import('./mutations.ts');
const { subjects } = await import('./subjects/index.ts');
const { CPU_LIMIT_MS, MEMORY_LIMIT_BYTES } = await import('./limits.ts');
type Subject = (typeof subjects)[number];

const [, , temporary] = process.argv;
const MEGABYTE = 2 ** 20;
const SEED = 20_261_128;

/** Starting a program for each would take longer than the cases. */
const hasPipes = process.platform !== 'win32';
const pipe = join(temporary, `pipe-${process.pid}`);
if (hasPipes) execFileSync('mkfifo', [pipe]);

/** What stands in the place of a file in some cases. */
const places: readonly { what: string; make: (path: string) => void }[] = [
  { what: 'missing', make: () => undefined },
  { what: 'a folder', make: (path) => mkdirSync(path) },
  ...(!hasPipes
    ? []
    : [
        { what: 'a pipe', make: (path: string) => linkSync(pipe, path) },
        { what: 'a device without an end', make: (path: string) => symlinkSync('/dev/zero', path) },
        { what: 'a link to itself', make: (path: string) => symlinkSync(path, path) },
      ]),
];

type Files = Awaited<ReturnType<Subject['files']>>;

function write(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeContent(folder, name, Buffer.from(content));
  }
}

function writeContent(folder: string, name: string, content: Buffer): void {
  const placed = content.includes('{{folder}}')
    ? Buffer.from(content.toString('latin1').replaceAll('{{folder}}', folder), 'latin1')
    : content;
  writeFileSync(join(folder, name), placed);
}

/** Writes a case. @returns what was changed */
function prepare(folder: string, subject: Subject, files: Files, random: InstanceType<typeof Random>): string {
  write(folder, files);
  if (hasPipes) linkSync(pipe, join(folder, 'pipe'));
  const names = Object.keys(subject.mutations);
  const changes: string[] = [];
  for (let more = true; more; more = random.below(10) === 0) {
    const name = pick(names, random);
    const path = join(folder, name);
    if (random.below(25) === 0) {
      const { what, make } = pick(places, random);
      rmSync(path, { recursive: true, force: true });
      make(path);
      changes.push(`${name}: ${what}`);
      break;
    }
    const { content, what } = pick(subject.mutations[name], random)(Buffer.from(files[name]), random);
    writeContent(folder, name, content);
    changes.push(`${name}: ${what}`);
  }
  return changes.join('; ');
}

/** What the reader did wrong; undefined where it did nothing. */
async function readCase(subject: Subject, folder: string): Promise<string | undefined> {
  const memory = Math.max(process.resourceUsage().maxRSS * 1024, process.memoryUsage.rss() + MEMORY_LIMIT_BYTES);
  const started = process.cpuUsage();
  let thrown: unknown;
  opened.watch(folder);
  try {
    await subject.read(folder);
  } catch (error) {
    thrown = error;
  }
  const outside = opened.outside();
  const { user, system } = process.cpuUsage(started);
  const grown = process.resourceUsage().maxRSS * 1024 - memory;
  if (thrown !== undefined && !(thrown instanceof UserError))
    return `raw error: ${thrown instanceof Error ? thrown.stack?.split('\n').slice(0, 3).join(' ') : String(thrown)}`;
  if (outside.length > 0 && subject.readsAnywhere !== true) return `outside its folder: ${outside[0]}`;
  if ((user + system) / 1000 > CPU_LIMIT_MS) return `${(user + system) / 1000} ms of processor time`;
  if (grown > 0) return `${Math.round((grown + MEMORY_LIMIT_BYTES) / MEGABYTE)} MB of memory`;
  return undefined;
}

async function run(name: string, from: number, to: number): Promise<void> {
  const subject = subjects.find((candidate) => candidate.name === name)!;
  const files = await subject.files();
  const valid = mkdtempSync(join(temporary, 'valid-'));
  write(valid, files);
  try {
    const result = await subject.read(valid);
    if (subject.isRead?.(result) === false) throw new Error('They were not read.');
  } catch (error) {
    process.send?.({ type: 'end', index: -1, what: 'the valid files', failure: String(error) });
  }
  for (let index = from; index < to; index++) {
    const folder = mkdtempSync(join(temporary, 'case-'));
    const what = prepare(folder, subject, files, new Random(SEED + subjects.indexOf(subject), index));
    process.send?.({ type: 'start', index, what });
    const failure = await readCase(subject, folder);
    process.send?.({ type: 'end', index, what, ...(failure !== undefined && { failure }) });
    rmSync(folder, { recursive: true, force: true });
  }
  process.send?.({ type: 'done' });
}

process.on('message', ({ subject, from, to }: { subject: string; from: number; to: number }) => {
  run(subject, from, to).catch((error: unknown) => {
    process.send?.({ type: 'end', index: -1, what: 'the case itself', failure: String((error as Error).stack) });
    process.send?.({ type: 'done' });
  });
});
process.on('disconnect', () => process.exit());
process.send?.({ type: 'ready' });
