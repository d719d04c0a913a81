/**
 * @file `npm run same-results -- COMMIT`: shows that a change of structure changed no result. Trains the experiments of
 * `same-results/experiments.js` with the command line of this checkout and with that of COMMIT, and compares, to the bit, the
 * final weights, and every value of events and summaries except times. Fields that this checkout records in addition are listed,
 * and are no difference. At the end there is a table of the final metrics of both. Exit code 1 where a result differs.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fail } from './needs.js';
import { root } from './root.js';
import { experiments, writeExperiments } from './same-results/experiments.js';
import { setUp } from './setup.js';

/** What two runs of the same experiment may differ in: times, and where the run lies. */
const PASSING = new Set(['time', 'stepsPerSecond', 'run', 'path', 'checkpoint']);

/** @typedef {Record<string, unknown> & { type: string }} Event */
/** @typedef {{ weights: string, events: Event[] }} Result */

/** A checkout of the commit with this checkout's packages, built. @param {string} commit @param {string} folder */
function checkOut(commit, folder) {
  const run = (/** @type {string} */ command, /** @type {string[]} */ args, /** @type {string} */ cwd) => {
    if (spawnSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0) {
      fail(`${command} ${args.join(' ')} failed.`);
    }
  };
  run('git', ['worktree', 'add', '--detach', folder, commit], root);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  run(process.execPath, [join(folder, 'scripts', 'build.js')], folder);
}

/**
 * Trains an experiment to its end, with a stop on the way where it asks for one.
 * @param {string} checkout @param {string} file @param {number | undefined} stopAt step of the checkpoint at which it is interrupted
 * @returns {Promise<Result>}
 */
async function train(checkout, file, stopAt) {
  const out = mkdtempSync(join(tmpdir(), 'same-results-runs-'));
  try {
    await command(checkout, ['run', file, '--out', out], stopAt);
    const run = join(out, readdirSync(out)[0]);
    if (stopAt !== undefined) await command(checkout, ['resume', run]);
    const weights = readFileSync(join(run, 'model', 'weights.safetensors'));
    const lines = readFileSync(join(run, 'events.jsonl'), 'utf8').trim().split('\n');
    // The header names the run; the tensors follow it.
    const tensors = weights.subarray(8 + Number(weights.readBigUInt64LE(0)));
    return {
      weights: createHash('sha256').update(tensors).digest('hex'),
      events: lines.map((line) => /** @type {Event} */ (JSON.parse(line))),
    };
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** @param {string} checkout @param {string[]} args @param {number} [stopAt] */
async function command(checkout, args, stopAt) {
  const child = spawn(process.execPath, [join(checkout, 'bin', 'deeptwist.js'), ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let told = '';
  child.stderr.on('data', (data) => (told += String(data)));
  const exit = new Promise((resolve) => child.once('exit', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const { type, step } = JSON.parse(line);
    if (type === 'checkpoint' && step === stopAt) child.kill('SIGINT');
  }
  const code = await exit;
  if (code !== (stopAt === undefined ? 0 : 130))
    throw new Error(`deeptwist ${args.join(' ')} ended with ${code}:\n${told}`);
}

/**
 * The places at which `now` does not have the values of `before`.
 * @param {unknown} before @param {unknown} now @param {string} place @param {Set<string>} added receives fields that are new
 * @returns {string[]}
 */
function differences(before, now, place, added) {
  if (typeof before !== 'object' || before === null || typeof now !== 'object' || now === null) {
    return Object.is(before, now) ? [] : [`${place}: ${JSON.stringify(before)}, now ${JSON.stringify(now)}`];
  }
  const [old, own] = [before, now].map((value) => /** @type {Record<string, unknown>} */ (value));
  for (const key of Object.keys(own)) if (!(key in old)) added.add(`${place.replaceAll(/\[\d+\]/g, '[]')}.${key}`);
  return Object.keys(old).flatMap((key) => {
    if (PASSING.has(key) || key.endsWith('Seconds')) return [];
    return differences(old[key], own[key], Array.isArray(before) ? `${place}[${key}]` : `${place}.${key}`, added);
  });
}

/** A resumed run has its events at the steps at which it was stopped, which are not the same twice: its summary stays. @param {Event[]} events @param {boolean} stopped */
function comparable(events, stopped) {
  return stopped ? events.filter(({ type }) => type === 'finished') : events;
}

/** What the training came to: loss and metric of the final model on the test set. @param {Result} result */
function finalMetrics({ events }) {
  const loss = events.findLast(({ type, moment }) => type === 'evaluation' && moment === 'final')?.loss;
  const { metric, test } = /** @type {{ metric: string, test: number }} */ (
    events.findLast(({ type }) => type === 'finished')?.summary
  );
  return { loss: String(loss), test: `${metric} ${test}` };
}

const [commit] = process.argv.slice(2);
if (commit === undefined) fail('say which commit to compare with: npm run same-results -- COMMIT.');
await setUp();
const folder = mkdtempSync(join(tmpdir(), 'same-results-'));
const other = join(folder, 'checkout');
try {
  checkOut(commit, other);
  const files = await writeExperiments(join(folder, 'experiments'));
  /** @type {Set<string>} */
  const added = new Set();
  let different = 0;
  /** @type {string[]} */
  const table = [];
  for (const { name, stopAt } of experiments) {
    const before = await train(other, files[name], stopAt);
    const now = await train(root, files[name], stopAt);
    const [old, own] = [before, now].map(({ events }) => comparable(events, stopAt !== undefined));
    const found = [
      ...(before.weights === now.weights ? [] : ['the final weights']),
      ...(old.length === own.length ? [] : [`${own.length} events, not ${old.length}`]),
      ...old.flatMap((event, i) => differences(event, own[i], event.type, added)),
    ];
    different += found.length > 0 ? 1 : 0;
    console.log(`${found.length === 0 ? 'same     ' : 'DIFFERENT'} ${name.padEnd(40)} ${now.weights.slice(0, 16)}`);
    for (const line of found.slice(0, 5)) console.log(`            ${line}`);
    const [first, second] = [before, now].map(finalMetrics);
    table.push(`| ${[name, first.loss, second.loss, first.test, second.test].join(' | ')} |`);
  }
  if (added.size > 0) console.log(`\nRecorded in addition: ${[...added].sort().join(', ')}`);
  console.log(`\n| experiment | test loss, ${commit} | now | metric, ${commit} | now |\n${'| --- '.repeat(5)}|`);
  for (const row of table) console.log(row);
  console.log(
    `\n${experiments.length - different} of ${experiments.length} experiments have the results of ${commit}.`,
  );
  process.exitCode = different === 0 ? 0 : 1;
} finally {
  spawnSync('git', ['worktree', 'remove', '--force', other], { cwd: root });
  rmSync(folder, { recursive: true, force: true });
}
