/** @file Some training steps of a model of tokens, in a process of its own: prints what one takes, and the most memory that was held. */
import { readFileSync } from 'node:fs';
import { openOurStep, type OurStepOptions } from './openOurStep.ts';

export interface LargeStep {
  /** Processor time of a step, all threads together. */
  readonly seconds: number;
  /** The most that the process has held in memory. */
  readonly peakGiB: number;
}

const STEPS = 3;

const step = await openOurStep(JSON.parse(process.argv[2]) as OurStepOptions);
await step.step(0);
const before = process.cpuUsage();
for (let i = 1; i <= STEPS; i++) await step.step(i);
const { user, system } = process.cpuUsage(before);
const measured: LargeStep = {
  seconds: (user + system) / 1e6 / STEPS,
  peakGiB: peakKilobytes() / 2 ** 20,
};
console.log(JSON.stringify(measured));

/** What `getrusage` says begins with what the process held that started this one. */
function peakKilobytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}
