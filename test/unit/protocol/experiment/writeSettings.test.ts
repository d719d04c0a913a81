import { describe, expect, test } from 'vitest';
import { parseOverride } from '../../../../server/protocol/experiment/overrides.ts';
import { writeSettings } from '../../../../server/protocol/experiment/writeSettings.ts';
import { userErrorOf } from '../../userErrorOf.ts';

const file = `{
  // The model.
  "model": "builtin:lenet-300-100",
  "compression": {
    "method": "prune", // by magnitude
    "layers": { "fc1": { "rate": 0.9 }, "block.1": { "rate": 0.5 } },
  },
}
`;
const write = (text: string, ...values: string[]) =>
  writeSettings(
    text,
    values.map((value) => parseOverride(value)!),
  );

describe('writing settings into an experiment file', () => {
  test('changes the values alone, and keeps comments and layout', () => {
    expect(write(file, 'compression.layers.fc1.rate=0.95', 'compression.layers["block.1"].rate=0.25')).toBe(
      file.replace('0.9 }', '0.95 }').replace('0.5 }', '0.25 }'),
    );
  });

  test('adds what is not there, objects on the way included', () => {
    const text = write(file, 'training.optimizer.learningRate=0.01');
    expect(text).toContain('// by magnitude');
    expect(text).toMatch(/"training": \{\s+"optimizer": \{\s+"learningRate": 0.01\s+\}\s+\}/);
  });

  test('removes a setting by null, and nothing where it is not there', () => {
    expect(write(file, 'compression.layers.fc1=null')).toContain('"layers": { "block.1": { "rate": 0.5 } },');
    expect(write(file, 'training.seed=null')).toBe(file);
  });

  test('keeps the ends of lines of Windows and a byte order mark', () => {
    const text = write(`\uFEFF${file.replaceAll('\n', '\r\n')}`, 'training.seed=2');
    expect(text.startsWith('\uFEFF{')).toBe(true);
    expect(text.replaceAll('\r\n', '')).not.toContain('\n');
  });

  test('refuses a list where the file has an object, and the other way round', async () => {
    const error = await userErrorOf(() => write(file, 'compression[0].distortEvery=10'));
    expect(error.message).toBe('compression is an object, in which there is no compression[0].distortEvery.');
    expect(error.remedy).toContain('has changed since');
    await userErrorOf(() => write(file, 'compression.method.x=1'));
  });

  test('refuses a text that is no JSON, with the line', async () => {
    expect((await userErrorOf(() => write('{\n  "model" "x"\n}', 'training.seed=1'))).message).toMatch(
      /^line 2: not JSON/,
    );
  });
});
