import { expect, test } from 'vitest';
import { killRuns } from '../../bench/killing.ts';
import { useInstallation } from '../installation.ts';

const installation = useInstallation();

// `npm run bench -- kills` does it 60 times.
test('runs that are killed at random moments end, resumed, with the weights and events of one that is not', async () => {
  const seed = Math.floor(1e6 * Math.random());
  const runs = await killRuns(installation(), 3, seed);
  expect(
    runs.filter(({ same }) => !same),
    `seed ${seed}`,
  ).toEqual([]);
  expect(runs.some(({ kills }) => kills > 0)).toBe(true);
}, 180_000);
