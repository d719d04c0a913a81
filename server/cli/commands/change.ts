/** @file `deeptwist change`. */
import { formatCount } from '../../protocol/formatQuantity.ts';
import { ExitCode, UserError } from '../../protocol/userError.ts';
import { findRun } from '../../runs/findRun.ts';
import { findRunProcess } from '../../runs/tickets.ts';
import type { Command } from '../command.ts';
import { wrongUsage } from '../wrongUsage.ts';

export const changeCommand: Command = {
  name: 'change',
  positionals: { usage: 'RUN', minimum: 1, maximum: 1 },
  summary: 'Change settings of a run that the editor trains, from its next distortion on.',
  options: {
    set: {
      type: 'string',
      multiple: true,
      value: 'PATH=VALUE',
      description: 'The setting; can be given several times.',
    },
  },
  async run({ positionals: [reference], options: { set = [] } }, { stdout, directory }) {
    if (set.length === 0) {
      throw wrongUsage(
        'change',
        'there is nothing to change',
        'Give a setting, for example --set compression.layers.fc1.rate=0.95.',
      );
    }
    const run = await findRun(reference, directory);
    const found = findRunProcess(run);
    if (!found || run.observedState() !== 'running') {
      throw new UserError(`The run ${run.id} cannot be changed: no process of the editor trains it.`, {
        remedy: 'Run the experiment again with --set.',
      });
    }
    const { connectToSidecar } = await import('../../sidecarClient/sidecarConnection.ts');
    const connection = await connectToSidecar(found, { client: `deeptwist change ${process.pid}` });
    try {
      const { step } = await connection.request('change', { values: set });
      stdout.write(`In effect from step ${formatCount(step)} on.\n`);
    } finally {
      connection.dispose();
    }
    return ExitCode.done;
  },
};
