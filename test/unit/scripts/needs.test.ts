import { expect, test, vi } from 'vitest';
import { npm } from '../../../scripts/execute.js';
import { bring } from '../../../scripts/needs.js';
import { root } from '../../../scripts/root.js';

test('what is missing is brought, in order, and said with its time; what is there is passed over', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const brought: string[] = [];
  const need = (doing: string, missing: boolean) => ({
    doing,
    isMissing: () => missing,
    bring: () => Promise.resolve(void brought.push(doing)),
  });
  await bring([need('one', true), need('two', false), need('three', true)]);
  expect(brought).toEqual(['one', 'three']);
  const lines = said.mock.calls.map(([line]) => String(line).replace(/[\d.]+/, 'N'));
  expect(lines).toEqual(['one …', '  done in N s', 'three …', '  done in N s']);
  said.mockRestore();
});

test('a command of npm that fails is told with what it printed', async () => {
  await expect(npm(root, ['no-such-command'])).rejects.toThrow(/npm.* no-such-command failed in [^]*Unknown command/);
});
