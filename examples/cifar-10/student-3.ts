/**
 * Student 3 of Polino et al. 2018: 111,000 weights. Without dropout, as they distill it; where they
 * train it alone, they drop out 0.2, 0.3 and 0.4 behind conv2, conv4 and fc1.
 */
import { network } from './network.ts';

export const createModel = (context: { inputShape: number[]; classes: number }) =>
  network({ filters: [25, 10, 10, 5], kernelSize: 5, pooled: [2, 4], units: [300] }, context);
