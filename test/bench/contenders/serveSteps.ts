/** @file The child's side of child.ts: says what it is, then answers each line `N` with the mean time of N steps. */
import { createInterface } from 'node:readline';
import type { Answer } from '../child.ts';

/** `step` does the work of step number i; it has finished it, not only begun, when it returns or resolves. */
export async function serveSteps(
  description: Readonly<Record<string, unknown>>,
  step: (index: number) => void | Promise<void>,
): Promise<void> {
  console.log(JSON.stringify(description));
  let index = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const steps = Number(line);
    const start = performance.now();
    for (let i = 0; i < steps; i++) await step(index++);
    const answer: Answer = {
      millisecondsPerStep: (performance.now() - start) / steps,
      peakGiB: process.resourceUsage().maxRSS / 2 ** 20,
    };
    console.log(JSON.stringify(answer));
  }
}
