import { expect, test } from 'vitest';
import { cannotStart } from '../../../server/runs/cannotStart.ts';

test.each([
  ['EAGAIN', 'End other programs, and try again.'],
  ['EMFILE', 'Raise the limit of open files (`ulimit -n`), and try again.'],
])('%s is no fault of the executable, which nobody is told to correct', (code, remedy) => {
  const error = Object.assign(new Error(`spawn node ${code}`), { code });
  for (const executable of [process.execPath, '/opt/node/bin/node'])
    expect(cannotStart("The run's process", executable, error)).toMatchObject({
      message: expect.stringContaining(`The run's process cannot be started with ${executable}: `) as string,
      remedy,
    });
});
