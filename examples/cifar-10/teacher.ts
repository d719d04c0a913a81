/**
 * The teacher of Polino et al. 2018: 5.3 million weights, 21 MB.
 */
import { network } from './network.ts';

export const createModel = (context: { inputShape: number[]; classes: number }) =>
  network(
    {
      filters: [76, 76, 126, 126, 148, 148, 148, 148],
      kernelSize: 3,
      pooled: [2, 4, 8],
      units: [1200, 1200],
      dropout: { conv2: 0.2, conv4: 0.3, conv8: 0.35, fc1: 0.4, fc2: 0.4 }
    },
    context
  );
