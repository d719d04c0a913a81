/**
 * @file Singular values of a tensor, computed by `deeptwist inspect` in a process of its own: the extension host loads no ONNX Runtime,
 * and a computation of a minute can be ended.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { l10n, workspace } from 'vscode';
import * as z from 'zod';
import { UserError } from '../../server/protocol/userError.ts';

const outputSchema = z.object({
  tensors: z.tuple([z.object({ singularValues: z.array(z.number()).optional(), problem: z.string().optional() })]),
});

/**
 * @param command the file of the command `deeptwist`
 * @throws UserError for a tensor without a spectrum, and where the process cannot be started or fails; any error once the signal aborts
 */
export async function computeSpectrum(
  command: string,
  file: string,
  tensor: string,
  signal: AbortSignal,
): Promise<Float64Array> {
  const node = workspace.getConfiguration('deeptwist').get<string>('node.path') || process.execPath;
  const child = spawn(node, [command, 'inspect', file, `--tensor=${tensor}`, '--spectrum', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    windowsHide: true,
    signal,
    killSignal: 'SIGKILL',
  });
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  const [printed, errors] = await Promise.race([Promise.all([text(child.stdout), text(child.stderr)]), failed]);
  const { singularValues, problem } = parseOutput(printed) ?? {};
  if (singularValues) return Float64Array.from(singularValues);
  throw new UserError(problem ?? l10n.t('The spectrum was not computed: {0}', errors.trim().slice(-2000)));
}

function parseOutput(printed: string) {
  try {
    return outputSchema.safeParse(JSON.parse(printed)).data?.tensors[0];
  } catch {
    return undefined;
  }
}
