/** @file Where a run stands when successive halving compares it with others: at the first evaluation of its training at or after a step. */
import type { EventOf, RunEvent } from './events.ts';

/** True for the evaluation at which runs are compared at `step`, and for those after it. */
export function isAtRung(event: RunEvent, step: number): event is EventOf<'evaluation'> {
  return event.type === 'evaluation' && event.moment === 'training' && event.step >= step;
}
