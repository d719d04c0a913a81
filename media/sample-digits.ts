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
].map((digit) => digit.split(' ').map((row) => [...row].map((point) => (point === '#' ? 1 : 0))));

const SIZE = 28;

interface Context {
  batchSize: number;
  seed: number;
  epoch: number;
}

/** Pictures in an epoch. */
export const samples = { train: 10_000, test: 2_000 };

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
    labels[i] = Math.floor(random() * FONT.length);
    drawDigit(FONT[labels[i]], pixels.subarray(i * SIZE * SIZE, (i + 1) * SIZE * SIZE), random);
  }
  return { inputs: { data: pixels, shape: [count, SIZE, SIZE, 1] }, targets: labels };
}

function drawDigit(digit: number[][], pixels: Float32Array, random: () => number): void {
  const between = (low: number, high: number) => low + (high - low) * random();
  const scale = between(2.2, 3.4); // pixels a point
  const slant = between(-0.3, 0.3);
  const [left, top] = [SIZE / 2 + between(-4, 4), SIZE / 2 + between(-3, 3)];
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) {
      const row = (y - top) / scale + 3;
      const column = (x - left) / scale + 2 + slant * (row - 3);
      const ink = inkAt(digit, row, column) * 0.9 + (random() - 0.4) * 0.3;
      pixels[y * SIZE + x] = Math.min(1, Math.max(0, ink));
    }
}

/** Between the points of the font, by the distance to them (bilinear). */
function inkAt(digit: number[][], row: number, column: number): number {
  const [top, left] = [Math.floor(row), Math.floor(column)];
  const [down, right] = [row - top, column - left];
  const point = (y: number, x: number) => digit[y]?.[x] ?? 0;
  return (
    (1 - down) * ((1 - right) * point(top, left) + right * point(top, left + 1)) +
    down * ((1 - right) * point(top + 1, left) + right * point(top + 1, left + 1))
  );
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
