/** @file Entry point of the command line; `bin/deeptwist.js` calls it. */
import { refuseOldNode } from '../runs/refuseOldNode.ts';

/** Runs the command line of this process. */
export async function main(): Promise<void> {
  refuseOldNode();
  const { runProcess } = await import('./commandProcess.ts');
  await runProcess();
}
