/**
 * The teacher of Polino et al. 2018 with half of its filters and units, a quarter of its weights: for a machine with two cores. Without
 * dropout, which pays in long trainings only.
 */
import { network } from './network.ts';

export const createModel = (context: { inputShape: number[]; classes: number }) =>
  network({ filters: [38, 38, 63, 63, 74, 74, 74, 74], kernelSize: 3, pooled: [2, 4, 8], units: [600, 600] }, context);
