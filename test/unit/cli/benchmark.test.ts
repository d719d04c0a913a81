import { expect, test } from 'vitest';
import { parseProgressLine } from '../../../server/protocol/wire/progressLine.ts';
import { latencySchema } from '../../../server/protocol/run/latency.ts';
import { readLatency } from '../../../server/runs/latencyRecord.ts';
import { compressions, wide } from '../export/models.ts';
import { place } from './place.ts';

test('a run is measured in a table with the dense model first', async () => {
  const { run, cli } = await place(undefined, { model: wide, compression: compressions.prune });
  const { code, stdout, stderr } = await cli(['benchmark', 'last', '--rounds', '1', '--batch', '3']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [header, ...rows] = stdout.trimEnd().split('\n');
  expect(header).toMatch(
    /^model +runs in +one input +faster +90% within +batch of 3 +90% within +weights +peak memory +file$/,
  );
  const ms = '[\\d.]+ ms';
  expect(rows[0]).toMatch(
    new RegExp(`^dense ONNX +ONNX Runtime +${ms} +– +${ms} +${ms} +${ms} +13\\d kB +[\\d.]+ MB +13\\d kB$`),
  );
  expect(rows[2]).toMatch(
    new RegExp(`^Packed Safetensors +deeptwist/runtime +${ms} +[\\d.]+x +${ms} +${ms} +${ms} +[\\d.]+ kB .* kB$`),
  );
  expect(rows[3]).toContain('an input is [8]. In Node.js');
  expect((await readLatency(run))?.models.length).toBe(3);
});

test('a program gets the figures of a file, and how far the measurement is', async () => {
  const { cli } = await place();
  await cli(['export', 'last', '--out', 'm.onnx']);
  const { code, stdout, stderr } = await cli(['benchmark', 'm.onnx', '--rounds', '1', '--json', '--progress', 'json']);
  expect(code).toBe(0);
  expect(latencySchema.parse(JSON.parse(stdout)).models).toMatchObject([{ file: 'm.onnx', batch: { samples: 32 } }]);
  expect(stderr.trimEnd().split('\n').map(parseProgressLine).at(-1)).toEqual({
    progress: { phase: 'measuring', rounds: 1, of: 1 },
  });
});

test.each([
  ['--rounds', '0'],
  ['--batch', '-3'],
  ['--threads', 'two'],
  ['--batch', '4097'],
])('%s %s is refused', async (option, value) => {
  const { cli } = await place(20);
  const { code, stderr } = await cli(['benchmark', 'last', `${option}=${value}`]);
  expect(code).toBe(2);
  expect(stderr).toContain(`${option} is a whole number from 1 to`);
});

test('a run that is not finished, and a file that is not there, are told', async () => {
  const { run, cli } = await place(20);
  const unfinished = await cli(['benchmark', 'last']);
  expect(unfinished.code).toBe(1);
  expect(unfinished.stderr).toContain(`deeptwist resume .deeptwist/runs/${run.id}`);
  const missing = await cli(['benchmark', 'no.onnx']);
  expect(missing.code).not.toBe(0);
  expect(missing.stderr).toContain('no.onnx');
});

test('Ctrl-C ends a measurement, and nothing is recorded', async () => {
  const { run, cli } = await place();
  const { code, stderr } = await cli(['benchmark', 'last'], { interrupted: true });
  expect({ code, stderr }).toEqual({ code: 130, stderr: 'Cancelled: nothing was recorded.\n' });
  expect(await readLatency(run)).toBeUndefined();
});
