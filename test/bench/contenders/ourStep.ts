/** @file Our training step as a contender; its argument is {@link OurStepOptions} as JSON. */
import { openOurStep, type OurStepOptions } from './openOurStep.ts';
import { serveSteps } from './serveSteps.ts';

const { executor, step } = await openOurStep(JSON.parse(process.argv[2]) as OurStepOptions);
await serveSteps({ executor }, step);
