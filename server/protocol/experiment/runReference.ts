/** @file How a setting names a run: `run:ID`, `run:NAME` (the newest run of that experiment) or `run:PATH`. */

export const RUN = 'run:';

export function namesRun(reference: string): boolean {
  return reference.startsWith(RUN);
}
