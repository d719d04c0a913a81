/** @file Our training step as a contender, and where its time goes. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Contender } from './bench.ts';
import { bundleContender, startNodeChild, type ChildOptions } from './child.ts';
import type { OurStepOptions } from './contenders/openOurStep.ts';
import type { Shares } from './contenders/stepShares.ts';
import { cacheFolder } from './prepare.ts';
import { tensorFlowEnvironment } from './tfjs-node.ts';

const contenders = join('test', 'bench', 'contenders');

/** A process that does our training steps (contenders/ourStep.ts), by default in milliseconds a step. */
export function startOurs(
  options: OurStepOptions,
  { name, ...child }: Pick<ChildOptions, 'steps' | 'value'> & { name?: string },
): Promise<Contender> {
  const { executor, threads } = options;
  return startNodeChild({
    name: name ?? (executor === 'compiled' ? 'compiled' : `eager, ${executor}`),
    entry: join(contenders, 'ourStep.ts'),
    script: join(cacheFolder('.'), 'ourStep.mjs'),
    arguments: [JSON.stringify(options)],
    environment: tensorFlowEnvironment(threads),
    ...child,
  });
}

/** Prints where the time of our step goes, over a number of steps. */
export async function printShares(name: string, options: OurStepOptions, steps: number): Promise<void> {
  const script = join(cacheFolder('.'), 'stepShares.mjs');
  await bundleContender(join(contenders, 'stepShares.ts'), script);
  const output = execFileSync(process.execPath, [script, JSON.stringify(options), String(steps)], { encoding: 'utf8' });
  const { millisecondsPerStep, shares, operators } = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Shares;
  const percentages = (table: Readonly<Record<string, number>>) =>
    Object.entries(table)
      .map(([part, share]) => `${part} ${(100 * share).toFixed(1)}%`)
      .join(', ');
  console.log(`  ${name}, ${options.threads} threads: ${millisecondsPerStep.toFixed(3)} ms/step`);
  console.log(`    of it: ${percentages(shares)}`);
  console.log(`    of the operators: ${percentages(operators)}`);
}
