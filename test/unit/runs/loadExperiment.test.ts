import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode, UserError } from '../../../server/protocol/userError.ts';
import { loadExperiment } from '../../../server/runs/loadExperiment.ts';
import { experimentText } from '../cli/sampleEvents.ts';
import { temporaryFolder, temporaryRun } from './temporaryRun.ts';

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

  it.each([
    ['little-endian', (text: string) => Buffer.from(text, 'utf16le')],
    ['big-endian', (text: string) => Buffer.from(text, 'utf16le').swap16()],
  ])('reads UTF-16 by its byte order mark, as an editor does: %s', async (_, encode) => {
    const file = join(await temporaryFolder(), 'lenet.deeptwist.jsonc');
    const text = `\uFEFF// ü\r\n${experimentText}`;
    await writeFile(file, encode(text));
    expect((await loadExperiment(file)).text).toBe(text);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['UTF-16 without its mark', Buffer.from('{ }', 'utf16le'), /byte 1 is 0, as in UTF-16 without its mark\.$/],
    ['Latin-1', Buffer.from('// \xfc', 'latin1'), /cannot be read: it is not UTF-8: byte 3 is 0xFC\.$/],
    ['a file of 5 MB', Buffer.alloc(5_000_000, ' '), /it has 5000000 bytes, more than 4194304\.$/],
  ])('refuses %s', async (_, bytes, message) => {
    const file = join(await temporaryFolder(), 'lenet.deeptwist.jsonc');
    await writeFile(file, bytes);
    await expect(loadExperiment(file)).rejects.toThrow(message);
  });

  it.runIf(process.platform !== 'win32')('refuses a device, and waits for no pipe', async () => {
    const pipe = join(await temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const file of [pipe, '/dev/zero'])
      await expect(loadExperiment(file)).rejects.toThrow(/cannot be read: it is no regular file\.$/);
  });

  it('refuses the copy that a run keeps, and names the file of which it is one', async () => {
    const { id, experimentFile, record } = await temporaryRun();
    await expect(loadExperiment(experimentFile)).rejects.toMatchObject({
      exitCode: ExitCode.usage,
      message: expect.stringMatching(new RegExp(`is the copy that the run ${id} keeps`)) as string,
      remedy: expect.stringContaining(relative(process.cwd(), record.experiment)) as string,
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
