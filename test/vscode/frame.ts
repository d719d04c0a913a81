/**
 * @file A test frame for suites that run in the extension host of a VS Code: `describe`, `it` and hooks as in other frames,
 * checked by `node:assert`. Tests run in the order in which they are declared, one at a time, since they share a window.
 */
type Work = () => void | Promise<void>;

interface Test {
  readonly name: string;
  readonly work: Work;
  readonly timeout: number;
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
}

const TIMEOUT = 60_000;
const groups: Group[] = [];

/** Declares a group of tests. Groups do not nest. */
export function describe(name: string, declare: () => void): void {
  groups.push({ name, tests: [], before: [], after: [] });
  declare();
}

/** Declares a test of the group that is being declared. `timeout`: milliseconds. */
export function it(name: string, work: Work, timeout = TIMEOUT): void {
  currentGroup().tests.push({ name, work, timeout });
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

/**
 * Waits until `probe` gives something other than undefined, null or false, and returns it. What it throws counts as not yet.
 * @throws an Error that says what was waited for, with the last error of the probe
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeout = 10_000,
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + timeout;
  let last: unknown;
  do {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false)
        return value as Exclude<T, undefined | null | false>;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  } while (performance.now() < deadline);
  throw new Error(`Waited ${timeout} ms for: ${what}`, { cause: last });
}

/** Runs all that was declared and reports each test as it ends. */
export async function runTests(report: (result: TestResult) => void): Promise<void> {
  for (const group of groups) {
    const broken = await failureOf(() => inOrder(group.before), TIMEOUT * 3);
    for (const { name, work, timeout } of group.tests) {
      const start = performance.now();
      const error = broken ?? (await failureOf(work, timeout));
      report({ group: group.name, name, duration: performance.now() - start, error });
    }
    const error = await failureOf(() => inOrder(group.after), TIMEOUT);
    if (error !== undefined) report({ group: group.name, name: 'afterAll', duration: 0, error });
  }
}

async function inOrder(hooks: readonly Work[]): Promise<void> {
  for (const hook of hooks) await hook();
}

/** What the work throws, or that it took too long; undefined where it is done. */
async function failureOf(work: Work, timeout: number): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The test took longer than ${timeout} ms.`)), timeout);
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
