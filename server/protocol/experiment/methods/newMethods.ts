/** @file The methods that can be chosen for a new experiment. */
import { methodFacts, methodNames } from './index.ts';

export const newMethods = methodNames.filter((method) => methodFacts[method].choice);
