import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode, UserError } from '../../../server/protocol/userError.ts';
import { loadExperiment } from '../../../server/runs/loadExperiment.ts';
import { experimentText } from '../cli/sampleEvents.ts';
import { temporaryFolder } from './temporaryRun.ts';

describe('loadExperiment', () => {
  it('returns the exact text and the settings with their overrides', async () => {
    const file = join(await temporaryFolder(), 'lenet.deeptwist.jsonc');
    const text = `\uFEFF// with a byte order mark\r\n${experimentText}`;
    await writeFile(file, text);
    const loaded = await loadExperiment(file, ['training.seed=7']);
    expect(loaded).toMatchObject({
      text,
      name: relative(process.cwd(), file),
      experiment: { model: 'builtin:lenet-300-100', training: { seed: 7, steps: 20000 } },
    });
  });

  it('says why a file cannot be read, as a usage error', async () => {
    const folder = await temporaryFolder();
    const error = await loadExperiment(join(folder, 'lenet.deeptwist.jsonc')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      exitCode: ExitCode.usage,
      message: expect.stringMatching(/lenet\.deeptwist\.jsonc cannot be read: there is no such file\.$/) as string,
    });
    await expect(loadExperiment(folder)).rejects.toThrow(/cannot be read: it is a folder\.$/);
  });

  it('says what is wrong in a file at its place', async () => {
    const file = join(await temporaryFolder(), 'lenet.deeptwist.jsonc');
    await writeFile(file, '{\n  "model": 3\n}');
    await expect(loadExperiment(file)).rejects.toThrow(
      /lenet\.deeptwist\.jsonc:2:12 model: expected a non-empty string/,
    );
  });
});
