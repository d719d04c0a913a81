/** @file Calling the programs of Slurm, and what their refusals mean. */
import { execFile } from 'node:child_process';
import { UserError } from '../../protocol/userError.ts';

/** Bytes of an answer at most: a queue of a cluster has many jobs. */
const MOST_ANSWER_BYTES = 2 ** 28;
/** Slurm's programs try for a while to reach a controller that restarts. */
const PATIENCE_MS = 120_000;

type Program = 'sbatch' | 'squeue' | 'sacct' | 'scancel' | 'scontrol';

export interface Answer {
  /** Undefined where a signal ended the program. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program of Slurm and waits for its end, however that is.
 * @throws UserError where there is no such program
 */
export function callSlurm(program: Program, args: readonly string[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { timeout: PATIENCE_MS, maxBuffer: MOST_ANSWER_BYTES, windowsHide: true };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT' || error?.code === 'EACCES') reject(noProgram(program));
      else resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : undefined, stdout, stderr }); // prettier-ignore
    });
  });
}

/** True where there is such a program in the search path. */
export async function hasProgram(program: Program): Promise<boolean> {
  return callSlurm(program, ['--version']).then(
    () => true,
    () => false,
  );
}

function noProgram(program: Program): UserError {
  return new UserError(`There is no program ${program} here: Slurm is not installed, or not in the search path.`, {
    remedy:
      'Call deeptwist on a machine of the cluster from which jobs are submitted, after `module load slurm` where that is needed. Without Slurm: ' +
      'deeptwist sweep FILE --parallel N trains here, --print prints a command for each run.',
  });
}

/** What can be done about a refusal, by the words of Slurm's message. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/partition/i, 'See `sinfo -s` for the partitions, and name one: --slurm "--partition=NAME".'],
  [/account|association/i, 'See `sacctmgr show associations user=$USER`, and name an account: --slurm "--account=NAME".'],
  [/qos/i, 'See `sacctmgr show qos` for what you may use: --slurm "--qos=NAME".'],
  [/submit.*limit|max.*jobs|too many/i, 'Wait until other jobs of yours have ended, or submit fewer runs.'],
  [/memory|node configuration|cpu count|gres|node count/i, 'Ask for less: --slurm "--mem=2G --cpus-per-task=2"; `sinfo -Nel` lists what the nodes have.'],
  [/time/i, 'Give a limit that the partition allows, as MINUTES, HOURS:MINUTES:SECONDS or DAYS-HOURS: --slurm "--time=1:00:00".'],
  [/contact|connect|controller|timed out/i, 'The controller of the cluster does not answer: see `scontrol ping`, and try again later.'],
  [/configuration|DNS SRV/i, 'This machine does not know its cluster: see if SLURM_CONF names its slurm.conf.'],
  [/unrecognized option|invalid option|unknown option/i, 'Correct --slurm: it takes the options of sbatch; see `sbatch --help`.'],
]; // prettier-ignore

/** @param goOn command that tries again */
export function refusedJob({ stderr, code }: Answer, goOn: string): UserError {
  const words = stderr
    .split('\n')
    .map((line) => line.replace(/^sbatch: (error: |fatal: )?/, '').trim())
    .filter((line) => line !== '');
  const text = words.map((one) => one.replace(/\.$/, '')).join('; ');
  const remedy = remedies.find(([pattern]) => pattern.test(text))?.[1] ?? 'Correct --slurm, or what the message names.';
  return new UserError(`Slurm refuses the job: ${text === '' ? `sbatch ended with code ${code}` : text}.`, {
    remedy: `${remedy} Nothing was submitted; the plan stays: ${goOn}`,
  });
}

/** Options of sbatch that would break what DeepTwist makes of the job. */
const OWN_OPTIONS = ['array', 'job-name', 'wrap', 'parsable', 'test-only', 'wait', 'no-requeue', 'open-mode'];
const OWN_LETTERS: Readonly<Record<string, string>> = { a: 'array', J: 'job-name', W: 'wait' };

/**
 * The options of sbatch in a text, split as a shell does: quotes hold words together.
 * @throws UserError for quotes that do not end, what is no option, and options that DeepTwist gives itself
 */
export function sbatchOptions(text: string): string[] {
  const wrong = (message: string) =>
    new UserError(`--slurm: ${message}.`, {
      remedy: 'Give options of sbatch in one text: --slurm "--partition=gpu --time=1:00:00".',
      exitCode: 2,
    });
  const words: string[] = [];
  for (const [, word, rest] of text.matchAll(/((?:[^\s"']|"[^"]*"|'[^']*')+)|(\S)/g)) {
    if (rest !== undefined) throw wrong(`a quote does not end in ${text}`);
    words.push(word.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ''));
  }
  if (words.length > 0 && !words[0].startsWith('-')) throw wrong(`'${words[0]}' is no option of sbatch`);
  for (const word of words) {
    const own = OWN_OPTIONS.find((name) => word === `--${name}` || word.startsWith(`--${name}=`));
    const letter = /^-([aJW])/.exec(word)?.[1];
    const name = own ?? (letter === undefined ? undefined : OWN_LETTERS[letter]);
    if (name !== undefined) throw wrong(`DeepTwist itself gives sbatch --${name}, or needs another`);
  }
  return words;
}
