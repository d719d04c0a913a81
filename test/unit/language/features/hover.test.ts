import type { MarkupContent } from 'vscode-languageserver/node';
import { describe, expect, test } from 'vitest';
import { hover } from '../../../../server/language/features/hover.ts';
import { schedulePreview } from '../../../../server/language/features/schedulePreview.ts';
import { around, lstm, openAt, pruneText, withCompression } from './experiments.ts';

function textAt(marked: string, surroundings = around()): string | undefined {
  const { document, position } = openAt(marked);
  const found = hover(document, position, surroundings);
  return found && (found.contents as MarkupContent).value;
}

/** The text with the cursor in the first place that looks so; `|` is in the pattern. */
function at(text: string, place: string): string {
  const plain = place.replace('|', '');
  if (!text.includes(plain)) throw new Error(`There is no ${plain}`);
  return text.replace(plain, place);
}

describe('a setting', () => {
  test.each([
    ['"dist|ortEvery"', /Distortion step S_D: training steps.*LeNet-300-100.*_A positive integer_/s],
    ['"exp|onent"', /E: how much faster.*7 \(LeNet\), 3 \(LSTM\).*default: `3`/s],
    ['"initial|Rate"', /p_i.*0 to 1.*default: `0`/s],
    ['"sch|edule"', /Equation \(1\): p_t = p_f/],
    ['"ra|te"', /Target pruning rate p_f.*DeepTwist paper: with 0.8 and 0.85.*A number in \[0, 1\)/s],
    ['"batch|Size"', /DeepTwist paper: 50 \(LeNet\); Zaremba et al\. 2014: 20 \(LSTM\)/],
    ['"meth|od"', /`prune`: The smallest weights become zero/],
    ['"pr|une"', /compression\\\.method.*`prune`.*algorithm 1/s],
    ['"ad|am"', /training\\\.optimizer\\\.type.*Kingma & Ba/s],
    ['"mo|del"', /createModel\(\)/],
    ['0.|98', /p_f/],
  ])('%s', (place, expected) => {
    expect(textAt(at(pruneText, place))).toMatch(expected);
  });

  test.each([
    ['"lev|els"', /Default: `"binary"`.*`uniform`: Equally far apart.*Polino.*`points`: Fitted.*Deep Compression/s],
    ['"uni|form"', /levels\**: `uniform`.*b \+ a k/s],
    [
      '"buc|ket"',
      /two numbers more.*_A positive integer, or one of these; default: `256`_.*`tensor`: The whole weight/s,
    ],
    ['"straight|Through"', /quantized distillation/],
  ])('%s of a quantization', (place, expected) => {
    const text = withCompression(
      '"method": "quantize", "layers": { "fc1": { "levels": "uniform", "bits": 4, "bucket": 8 } }, "straightThrough": {}',
    );
    expect(textAt(at(text, place))).toMatch(expected);
  });

  test.each([
    ['"tea|cher"', /run:NAME.*never change/s],
    ['"temp|erature"', /softmax\(z \/ T\).*Polino et al. 2018: 2 for images.*default: `2`/s],
    ['"wei|ght"', /w T\^2 KL.*\(1 - w\).*0.7/s],
    ['"as|k"', /entropyAbove.*Default: `"always"`.*- `when-wrong`: Samples whose label/s],
    ['"by-ent|ropy"', /distillation\\\.ask.*`by-entropy`.*probability H \/ log2 C/s],
    ['"reduc|tion"', /- `as-published`: .*number of classes/s],
  ])('of a distillation: %s', (place, expected) => {
    const settings = '"temperature": 2, "weight": 0.7, "ask": "by-entropy", "reduction": "batchmean"';
    const text = pruneText.replace('"training"', `"distillation": { "teacher": "run:base", ${settings} }, "training"`);
    expect(textAt(at(text, place))).toMatch(expected);
  });

  test.each([
    ['"sco|pe"', /Among which weights.*Default: `"layer"`.*- `model`: All named layers have one threshold/s],
    ['"mod|el",\n', /compression\\\.scope.*`model`.*one threshold/s],
    ['"tay|lor"', /`taylor`.*Molchanov et al. 2017/s],
    [
      '"pat|tern"',
      /What becomes zero together.*default: `"element"`.*- `unit`: Whole units.*- `2:4`: At most N of each M/s,
    ],
    ['"2:|4"', /`2:4`.*Mishra et al. 2021/s],
    ['"blo|ck":', /Rows \(outputs\) and columns/],
    ['"gam|ma"', /How fast the chance falls.*default: `0.0001`/s],
    ['"dynamic|-surgery"', /`dynamic-surgery`.*Guo et al. 2016/s],
  ])('of pruning: %s', (place, expected) => {
    const settings = '"policy": "dynamic-surgery", "surgery": { "gamma": 1 }, "scope": "model",\n"criterion": "taylor"';
    const layers = '"layers": { "fc1": { "pattern": "2:4" }, "fc2": { "pattern": "block", "block": [2, 2] } }';
    const text = withCompression(`"method": "prune", "distortEvery": 10, ${settings}, ${layers}`);
    expect(textAt(at(text, place))).toMatch(expected);
  });

  test.each(['// Prun|es', '// as in| the', '}|\n', '"seed": 3,| '])('%s: nothing', (place) => {
    expect(textAt(at(`${pruneText.replace('"steps"', '"seed": 3, "steps"')}`, place))).toBeUndefined();
  });

  test('that does not exist has no meaning', () => {
    expect(textAt(at(pruneText.replace('"steps"', '"stepz"'), '"ste|pz"'))).toBeUndefined();
  });

  test('stands at its key or its value', () => {
    const { document, position } = openAt(at(pruneText, '"batch|Size"'));
    const range = hover(document, position, around())?.range;
    expect(range && document.text.getText(range)).toBe('"batchSize"');
  });
});

describe('a key of layers', () => {
  test('shows its weights before and after: those that no closer key names', () => {
    const text = textAt(at(pruneText, '"fc|*"')) ?? '';
    expect(text).toContain('`fc*` compresses 2 matrices of the model. Another is named by a closer key.');
    // floor(0.9 * 30000) = 27000 become zero, floor(0.9 * 1000) = 900.
    expect(text).toMatch(/\| fc2\/kernel \| 300 x 100 \| 30,000 \| 3,000 \| 120 kB \|/);
    expect(text).toMatch(/\| fc3\/kernel \| 100 x 10 \| 1,000 \| 100 \| 4\.00 kB \|/);
    expect(text).toMatch(/\| all \|  \| 31,000 \| 3,100 \|/);
  });

  test('of a shared projection counts it once, with the recurrent kernel', () => {
    const compression =
      '"method": "low-rank", "distortEvery": 9, "layers": { "lst|m*": { "rank": 64, "sharedProjection": true } }';
    const text = textAt(withCompression(compression), around({ model: lstm })) ?? '';
    // W_h of lstm1 has V_h and Z_h, r (m + n) = 64 * (200 + 800); the kernel of lstm2, which takes the same output, Z_x: r n.
    expect(text).toMatch(/lstm1\/recurrent\\_kernel \| 200 x 800 \| 160,000 \| 64,000 \|/);
    expect(text).toMatch(/lstm2\/kernel \| 200 x 800 \| 160,000 \| 51,200 \|/);
    expect(text).toMatch(/lstm1\/kernel \| 200 x 800 \| 160,000 \| 64,000 \|/);
  });

  test.each([
    ['"method": "prune", "policy": "variational-dropout", "layers": { "f|c*": {} }', 'Training finds'],
    ['"method": "nuclear-norm", "layers": { "f|c*": { "tau": 5 } }', 'Training finds'],
    ['"method": "prune", "distortEvery": 9, "layers": { "f|c*": { "rate": 1.5 } }', 'missing or wrong'],
    ['"method": "prune", "distortEvery": 9, "layers": { "f|c*": {} }', 'missing or wrong'],
    ['"method": "quantize", "distortEvery": 9, "layers": { "f|c*": {} }', 'missing or wrong'],
  ])('shows the weights alone where their size is not known before: %s', (compression, reason) => {
    const text = textAt(withCompression(compression)) ?? '';
    expect(text).toContain('compresses 3 matrices of the model.');
    expect(text).toContain(reason);
    expect(text).toContain('| fc2/kernel | 300 x 100 | 30,000 | 120 kB |');
    expect(text).toMatch(/\| all \| {2}\| 266,200 \|/);
    expect(text).not.toMatch(/kept|smaller|would take|1\.00x/);
  });

  test('whose value is left to a search says so', () => {
    const open = withCompression('"method": "prune", "distortEvery": 9, "layers": { "f|c*": {} }');
    const text = textAt(open.replace('"compression"', '"target": { "maxDrop": 0.005 }, "compression"')) ?? '';
    expect(text).toContain('`deeptwist search`');
    expect(text).not.toMatch(/kept|smaller|would take|1\.00x|wrong/);
  });

  test('that matches nothing says so, and without a model that it is not known', () => {
    expect(textAt(withCompression('"method": "prune", "layers": { "f|d": { "rate": 0.9 } }'))).toContain('no layer');
    expect(textAt(at(pruneText, '"fc|*"'), around({ model: undefined }))).toContain('not known yet');
  });
});

describe('the schedule preview', () => {
  function picture(text: string | undefined): string {
    const data = /\(data:image\/svg\+xml;base64,([A-Za-z0-9+/=]+)\|/.exec(text ?? '')?.[1];
    if (data === undefined) throw new Error(`There is no picture in ${text}`);
    return Buffer.from(data, 'base64').toString();
  }

  test('comes with the schedule, everything in it and the distortion step', () => {
    for (const place of ['"sch|edule"', '"ini|tialRate"', '130|00', '"distort|Every"'])
      expect(picture(textAt(at(pruneText, place)))).toContain('<svg');
    expect(textAt(at(pruneText, '"sch|edule"'))).toContain(
      'Plain training up to 8,000 steps, then distortions, one every 10 steps: 1,201 in all. The rate rises from 25% to 98%, 90% at 13,000 steps.',
    );
  });

  test('fits, with its words and the meaning of the schedule, in the 250 pixels that a hover shows without scrolling', () => {
    const text = textAt(at(pruneText, '"sch|edule"')) ?? '';
    const pictureHeight = Number(/height="(\d+)"/.exec(picture(text))?.[1]);
    const [, ...paragraphs] = text.split('\n\n');
    // 4 pixels above and below, 8 before a paragraph, 19 for a line of about 100 letters, 5 between a picture and the end of its line.
    const heights = paragraphs.map(({ length }) => 8 + 19 * Math.ceil(length / 100));
    expect(4 + pictureHeight + 5 + heights.reduce((sum, height) => sum + height) + 4).toBeLessThanOrEqual(250);
  });

  test('draws equation (1)', () => {
    const svg = picture(textAt(at(pruneText, '"sch|edule"')));
    const points = [...svg.matchAll(/L([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    const [left, right, top, bottom] = [46, 404, 20, 80];
    // p_t of p_i = 0.25, p_f = 0.98, t_i = 8000, t_f = 13000, E = 7 at a fifth of the way: 0.98 - 0.73 * 0.8^7.
    const x = left + (9000 / 20000) * (right - left);
    const rate = 0.98 - 0.73 * 0.8 ** 7;
    const near = points.find((point) => Math.abs(point[0] - x) < 0.06);
    expect(near?.[1]).toBeCloseTo(bottom - rate * (bottom - top), 0);
    expect(svg).toContain('t<tspan');
  });

  test('in epochs has marks only where their length is known', () => {
    const compression =
      '"method": "prune", "distortEvery": 100, "layers": { "fc1": { "rate": 0.9 } }, "schedule": { "to": 3, "unit|": "epochs" }';
    const known = textAt(withCompression(compression, '"epochs": 10'));
    // 60,000 samples in batches of 50: 1200 steps an epoch.
    expect(known).toContain('120 in all. The rate rises from 0% to 90% at 3,600 steps');
    const unknown = textAt(withCompression(compression, '"epochs": 10'), around({ model: lstm }));
    expect(unknown).toContain('Distortions from the start. The rate rises from 0% to 90% at 3 epochs');
  });

  test('is left out where the length of the training, or when distortions happen, is not known', () => {
    const compression = '"method": "prune", "distort|Every": 100, "layers": {}';
    expect(textAt(withCompression(compression, '"epochs": 10'), around({ model: undefined }))).not.toContain('svg');
    expect(textAt(withCompression(`"policy": "one-shot", ${compression}`))).not.toContain('svg');
    expect(textAt(withCompression(compression))).toContain('svg');
  });

  test.each([
    { unit: 'steps', from: 0, end: 1, distortEvery: 1, rates: [0.5] },
    { unit: 'steps', from: 10, end: 10, distortEvery: 3, rates: [], rise: undefined },
    {
      unit: 'steps',
      from: 7,
      end: 1e9,
      distortEvery: 1,
      rates: [0.999, 0],
      rise: { to: 1e9, initialRate: 0, exponent: 0.1 },
    },
  ] as const)('has finite numbers and a bounded size: %j', (schedule) => {
    const svg = schedulePreview(schedule);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg.length).toBeLessThan(20_000);
  });
});
