/** @file Our training step as a contender; arguments as {@link openOurStep}. */
import { openOurStep } from './openOurStep.ts';
import { serveSteps } from './serveSteps.ts';

const { executor, step } = await openOurStep(process.argv.slice(2));
await serveSteps({ executor }, step);
