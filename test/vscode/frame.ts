/**
 * @file A test frame for suites that run in the extension host of a VS Code: `describe`, `it` and hooks as in other frames,
 * checked by `node:assert`. Tests run in the order in which they are declared, one at a time, since they share a window.
 */
import { rmSync } from 'node:fs';
import { PATIENCE, RETRIES, TEST_TIMEOUT } from '../../scripts/patience.js';
import { until } from '../until.ts';

type Work = () => void | Promise<void>;

interface Test {
  readonly name: string;
  readonly work: Work;
}

interface Group {
  readonly name: string;
  readonly tests: Test[];
  readonly before: Work[];
  readonly after: Work[];
}

export interface TestResult {
  readonly group: string;
  readonly name: string;
  /** Milliseconds. */
  readonly duration: number;
  /** What went wrong, with its stack. */
  readonly error?: string;
  /** What went wrong when a test that passed was tried first. */
  readonly firstError?: string;
}

const groups: Group[] = [];

/** Declares a group of tests. Groups do not nest. */
export function describe(name: string, declare: () => void): void {
  groups.push({ name, tests: [], before: [], after: [] });
  declare();
}

/** Declares a test of the group that is being declared. */
export function it(name: string, work: Work): void {
  currentGroup().tests.push({ name, work });
}
export function beforeAll(work: Work): void {
  currentGroup().before.push(work);
}
export function afterAll(work: Work): void {
  currentGroup().after.push(work);
}

function currentGroup(): Group {
  const group = groups.at(-1);
  if (group === undefined) throw new Error('Tests and hooks are declared within describe.');
  return group;
}

/** {@link until}, with what is waited for first. Many looks ask the editor: they come less often the longer it takes. */
export function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
): Promise<Exclude<T, undefined | null | false>> {
  return until(probe, what, PATIENCE, 100);
}

/**
 * Removes a folder, again where a process wrote into it meanwhile: the editor's description of a model may come after a test. (The retries of
 * `rmSync` remove the folder alone, not what has come into it.)
 */
export async function removed(folder: string): Promise<void> {
  await eventually(`${folder} to be removed`, () => {
    try {
      rmSync(folder, { recursive: true, force: true });
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs all that was declared and reports each test as it ends. */
export async function runTests(report: (result: TestResult) => void): Promise<void> {
  for (const group of groups) {
    const broken = await failureOf(() => inOrder(group.before));
    for (const { name, work } of group.tests) {
      const start = performance.now();
      const firstError = broken ?? (await failureOf(work));
      let error = firstError;
      for (let i = 0; i < RETRIES && error !== undefined && !broken; i++) error = await failureOf(work);
      report({
        ...{ group: group.name, name, duration: performance.now() - start },
        ...(error === undefined ? { firstError } : { error }),
      });
    }
    const error = await failureOf(() => inOrder(group.after));
    if (error !== undefined) report({ group: group.name, name: 'afterAll', duration: 0, error });
  }
}

async function inOrder(hooks: readonly Work[]): Promise<void> {
  for (const hook of hooks) await hook();
}

/** What the work throws, or that it took too long; undefined where it is done. */
async function failureOf(work: Work): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The test took longer than ${TEST_TIMEOUT / 1000} s.`)), TEST_TIMEOUT);
  });
  try {
    await Promise.race([Promise.resolve().then(work), late]);
    return undefined;
  } catch (error) {
    return describeError(error);
  } finally {
    clearTimeout(timer);
  }
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.stack ?? error.message;
  return error.cause === undefined ? text : `${text}\nCaused by: ${describeError(error.cause)}`;
}
