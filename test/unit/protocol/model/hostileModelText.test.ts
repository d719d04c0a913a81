/** Texts of modules that were made to take long: they are read in one pass. */
import { describe, expect, test } from 'vitest';
import { isDataModule, readModelSource } from '../../../../server/proposals/modelSource.ts';
import { processorTime } from '../../processorTime.ts';
import { blankComments, layerCalls, locateLayers } from '../../../../server/protocol/model/modelText.ts';

const MEGABYTE = 1024 * 1024;
const repeated = (text: string) => text.repeat(MEGABYTE / text.length);

const texts: Readonly<Record<string, string>> = {
  'calls that are not closed': repeated('layers.a('),
  'calls in calls': repeated('layers.a({') + repeated('})'),
  'names in calls that are not closed': repeated('layers.a({ name: "b", '),
  'names that are no name of the call': `layers.a({ ${repeated('x: { name: "b" }, ')} })`,
  'comments that are not closed': repeated('/* '),
  'quotes that are not closed': `'${repeated("\\'")}`,
  'templates that are not closed': repeated('`${'),
  'a name that is not closed': `layers.a({ name: "${repeated('${')}`,
  'blanks in a call': `layers${repeated(' ')}.a(`,
  'blanks in an export': `export function${repeated(' ')}`,
  'lists of exports that are not closed': repeated('export{'),
  'an export that is not closed': `export {${repeated(' createModel')}`,
  'a number of a constant': `export const createModel = 1; ${repeated('layers.dense({ units: n, name: "a" });')}`,
};

describe.each(Object.entries(texts))('%s', (_, text) => {
  test('take a time that grows with the text alone', () => {
    const work = () => {
      blankComments(text);
      locateLayers([{ layer: 'a', layerClass: 'Dense' }], layerCalls(text));
      readModelSource(text.slice(0, MEGABYTE / 4));
      isDataModule(text.slice(0, MEGABYTE / 4));
    };
    expect(processorTime(work)).toBeLessThan(10_000);
  });
});

test('templates with many places, and names that nearly fit them, are compared in bounded time', () => {
  const template = '${a}x'.repeat(39);
  const code = Array.from({ length: 2000 }, (_, i) => `layers.dense({ name: \`${template}${i}\` })`).join('\n');
  const layers = Array.from({ length: 20_000 }, (_, i) => ({ layer: `${'ax'.repeat(400)}${i}y` }));
  expect(processorTime(() => expect(locateLayers(layers, layerCalls(code)).size).toBe(0))).toBeLessThan(20_000);
});

test('names that look as if tfjs had made them up are told in bounded time', () => {
  const layers = Array.from({ length: 2000 }, (_, i) => ({ layer: `${'_A1'.repeat(300)}-${i}` }));
  expect(processorTime(() => locateLayers(layers, layerCalls('layers.dense({})')))).toBeLessThan(5000);
});

test('comments in strings stay, and strings in comments go', () => {
  expect(blankComments('a "// x" // "y"\nb')).toBe('a "// x"       \nb');
  expect(blankComments("a '/*' /* ' */ b")).toBe("a '/*'         b");
  expect(blankComments('`//\n${x}` // y')).toBe('`//\n${x}`     ');
  expect(blankComments('a / b /* c')).toBe('a / b     ');
  expect(blankComments('a / b // c')).toBe('a / b     ');
});

test.each(['`lstm${i}`', '`${kind}1`', '`l${a}m${b}`'])('a layer is found by the template %s', (template) => {
  const code = `layers.lstm({ units: 3, name: ${template} })`;
  const [call] = layerCalls(code);
  expect([...locateLayers([{ layer: 'encoder/lstm1' }, { layer: 'fc' }], [call]).values()]).toEqual([call]);
});
