/**
 * Sample data of DeepTwist: pictures of the ten digits, 28 x 28 pixels in [0, 1], drawn from a small font at random places,
 * sizes and slants, with noise. Every epoch has new ones; they depend on "training.seed" and the number of the epoch alone.
 * An experiment file names this file in "data". It is yours: change it, or replace it by data of your own (docs/data.md).
 */

/** Seven rows of five points for each digit. */
const FONT = [
  '.###. #...# #..## #.#.# ##..# #...# .###.',
  '..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.',
  '.###. #...# ....# ...#. ..#.. .#... #####',
  '.###. #...# ....# ..##. ....# #...# .###.',
  '...#. ..##. .#.#. #..#. ##### ...#. ...#.',
  '##### #.... ####. ....# ....# #...# .###.',
  '..##. .#... #.... ####. #...# #...# .###.',
  '##### ....# ...#. ..#.. .#... .#... .#...',
  '.###. #...# #...# .###. #...# #...# .###.',
  '.###. #...# #...# .#### ....# ...#. .##..',
];
const ROWS = 7;
const COLUMNS = 5;
/** Points with a margin of two around them, row by row: 1 is ink. */
const WIDTH = COLUMNS + 4;
const glyphs = FONT.map((digit) => {
  const points = new Float32Array((ROWS + 4) * WIDTH);
  digit
    .split(' ')
    .forEach((row, y) => [...row].forEach((point, x) => (points[(y + 2) * WIDTH + x + 2] = Number(point === '#'))));
  return points;
});

const SIZE = 28;

interface Context {
  batchSize: number;
  seed: number;
  epoch: number;
}

/** Pictures in an epoch. */
export const samples = { train: 10_000, test: 1_000 };

export function* train({ batchSize, seed, epoch }: Context) {
  const random = generator(seed * 1009 + epoch + 1);
  for (let done = batchSize; done <= samples.train; done += batchSize) yield drawBatch(batchSize, random);
}

/** The same pictures each time. */
export function* test({ batchSize }: Context) {
  const random = generator(0);
  for (let done = 0; done < samples.test; done += batchSize)
    yield drawBatch(Math.min(batchSize, samples.test - done), random);
}

function drawBatch(count: number, random: () => number) {
  const pixels = new Float32Array(count * SIZE * SIZE);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = Math.floor(random() * glyphs.length);
    drawDigit(glyphs[labels[i]], pixels.subarray(i * SIZE * SIZE, (i + 1) * SIZE * SIZE), random);
  }
  return { inputs: { data: pixels, shape: [count, SIZE, SIZE, 1] }, targets: labels };
}

function drawDigit(glyph: Float32Array, pixels: Float32Array, random: () => number): void {
  const between = (low: number, high: number) => low + (high - low) * random();
  const scale = between(2.2, 3.4); // pixels a point
  const slant = between(-0.3, 0.3);
  const middleX = SIZE / 2 + between(-4, 4);
  const middleY = SIZE / 2 + between(-3, 3);
  for (let y = 0; y < SIZE; y++) {
    const row = (y - middleY) / scale;
    for (let x = 0; x < SIZE; x++) {
      const column = (x - middleX) / scale + slant * row;
      const ink = 0.9 * inkAt(glyph, row + (ROWS - 1) / 2, column + (COLUMNS - 1) / 2) + 0.3 * (random() - 0.4);
      pixels[y * SIZE + x] = ink < 0 ? 0 : ink > 1 ? 1 : ink;
    }
  }
}

/** Between the points of the font, by the distance to them (bilinear). */
function inkAt(glyph: Float32Array, row: number, column: number): number {
  if (row <= -1 || row >= ROWS || column <= -1 || column >= COLUMNS) return 0;
  const top = Math.floor(row);
  const left = Math.floor(column);
  const down = row - top;
  const right = column - left;
  const at = (top + 2) * WIDTH + left + 2;
  const above = glyph[at] + right * (glyph[at + 1] - glyph[at]);
  const below = glyph[at + WIDTH] + right * (glyph[at + WIDTH + 1] - glyph[at + WIDTH]);
  return above + down * (below - above);
}

/** Random numbers in [0, 1): mulberry32. */
function generator(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
