/** @file `deeptwist benchmark` in a process of its own. */
import { latencySchema, type Latency } from '../../server/protocol/run/latency.ts';
import { runReporting, type ReportingProcess } from '../../server/commandClient/runReporting.ts';

/**
 * Measures the models of a run.
 * @param run the run folder
 * @param options of the command that are on, without dashes
 * @returns undefined where the signal aborted; nothing was recorded then
 * @throws UserError as {@link runReporting}
 */
export async function runBenchmark(
  run: string,
  options: readonly string[],
  process: ReportingProcess,
): Promise<Latency | undefined> {
  const report = await runReporting(['benchmark', run, ...options.map((option) => `--${option}`)], run, process);
  return report === undefined ? undefined : latencySchema.parse(report);
}
