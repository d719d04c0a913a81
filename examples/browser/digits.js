/** @file Classifies the digit that is drawn on the page. */
import { indexOfLargest, openModel, openSection, probabilitiesOf } from './section.js';

/** MNIST's images have 28 x 28 pixels; the digit fits into 20 x 20 of them. */
const SIZE = 28;
const BOX = 20;
const CLASSES = 10;
const PEN_WIDTH = 24;
/** Points of the drawing, along each side, that a pixel of the image is the mean of. */
const POINTS = 8;
/** A prediction takes less time than a browser's clock can measure: it is repeated for as many milliseconds. */
const MEASURED = 4;

openSection('digits', async () => {
  const model = await openModel('digits.safetensors');
  const [{ shape }] = model.inputs;
  const [scores] = model.outputs;
  if (shape.slice(1).reduce((product, size) => product * size, 1) !== SIZE * SIZE || scores.shape?.at(-1) !== CLASSES)
    throw new Error(
      `models/digits.safetensors is no model of digits: it takes ${shape.slice(1).join(' x ')} numbers, not ` +
        `${SIZE} x ${SIZE} pixels, or has other than ${CLASSES} classes. Run prepare.js with a run on MNIST.`
    );

  const rows = createRows();
  const drawing = document.getElementById('drawing');
  const pen = drawing.getContext('2d', { willReadFrequently: true });
  const seen = document.getElementById('seen').getContext('2d');
  pen.lineWidth = PEN_WIDTH;
  pen.lineCap = 'round';
  pen.lineJoin = 'round';

  let isDue = false;
  /** Shows what the drawing is, once for all that is drawn until the next frame. */
  const update = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      const image = mnistImage(pen.getImageData(0, 0, drawing.width, drawing.height));
      seen.putImageData(visible(image ?? new Uint8ClampedArray(SIZE * SIZE)), 0, 0);
      show(image && predict(model, image));
    });
  };

  const show = (prediction) => {
    const likeliest = prediction && indexOfLargest(prediction.probabilities);
    rows.forEach(({ row, bar, number }, digit) => {
      const share = prediction?.probabilities[digit] ?? 0;
      row.classList.toggle('likeliest', digit === likeliest);
      bar.style.setProperty('--share', share);
      number.textContent = prediction ? `${(100 * share).toFixed(1)}%` : '';
    });
    document.getElementById('digit').textContent = likeliest ?? '';
    document.getElementById('prediction-time').textContent = prediction
      ? `${prediction.milliseconds.toPrecision(2)} ms per prediction`
      : '';
  };

  const pointOf = ({ clientX, clientY }) => {
    const { left, top } = drawing.getBoundingClientRect();
    const { clientLeft, clientTop, clientWidth, clientHeight } = drawing;
    return [
      ((clientX - left - clientLeft) * drawing.width) / clientWidth,
      ((clientY - top - clientTop) * drawing.height) / clientHeight
    ];
  };
  let last;
  const drawTo = ([x, y]) => {
    pen.beginPath();
    pen.moveTo(...last);
    // A line of no length would not be drawn: a touch leaves a dot.
    pen.lineTo(x + 0.01, y);
    pen.stroke();
    last = [x, y];
    update();
  };
  drawing.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    drawing.setPointerCapture(event.pointerId);
    last = pointOf(event);
    drawTo(last);
  });
  drawing.addEventListener('pointermove', (event) => {
    if (last && event.isPrimary) drawTo(pointOf(event));
  });
  drawing.addEventListener('lostpointercapture', () => (last = undefined));
  document.getElementById('clear').addEventListener('click', () => {
    pen.clearRect(0, 0, drawing.width, drawing.height);
    update();
  });
  update();
});

/** @returns {{ row: HTMLElement, bar: HTMLElement, number: HTMLElement }[]} the rows of the table, a digit each */
function createRows() {
  const body = document.querySelector('#probabilities tbody');
  return Array.from({ length: CLASSES }, (_, digit) => {
    const row = body.appendChild(document.createElement('tr'));
    const header = row.appendChild(document.createElement('th'));
    header.scope = 'row';
    header.textContent = digit;
    const bar = row.appendChild(document.createElement('td')).appendChild(document.createElement('div'));
    bar.className = 'bar';
    return { row, bar, number: row.appendChild(document.createElement('td')) };
  });
}

/**
 * A drawing as MNIST's images were made of scanned digits: scaled into a box, and moved so that its centre of mass is that of the
 * image (LeCun et al. 1998, "Gradient-based learning applied to document recognition").
 * @param {ImageData} drawing its alpha is the ink
 * @returns {Uint8ClampedArray | undefined} {@link SIZE} x {@link SIZE} pixels, 255 is ink; undefined where nothing is drawn
 */
function mnistImage({ data, width, height }) {
  const inkAt = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : data[4 * (y * width + x) + 3]);
  let [left, right, top, bottom] = [width, -1, height, -1];
  let [ink, sumX, sumY] = [0, 0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const amount = inkAt(x, y);
      if (amount === 0) continue;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      ink += amount;
      sumX += amount * (x + 0.5);
      sumY += amount * (y + 0.5);
    }
  if (ink === 0) return undefined;
  const scale = Math.max(right - left + 1, bottom - top + 1) / BOX;
  const originX = sumX / ink - (scale * SIZE) / 2;
  const originY = sumY / ink - (scale * SIZE) / 2;
  const image = new Uint8ClampedArray(SIZE * SIZE);
  for (let pixel = 0; pixel < image.length; pixel++) {
    const [column, row] = [pixel % SIZE, Math.floor(pixel / SIZE)];
    let sum = 0;
    for (let i = 0; i < POINTS; i++)
      for (let j = 0; j < POINTS; j++)
        sum += inkAt(
          Math.floor(originX + scale * (column + (j + 0.5) / POINTS)),
          Math.floor(originY + scale * (row + (i + 0.5) / POINTS))
        );
    image[pixel] = sum / POINTS ** 2;
  }
  return image;
}

/** @returns {ImageData} an image of MNIST, white on black */
function visible(image) {
  const result = new ImageData(SIZE, SIZE);
  image.forEach((value, pixel) => result.data.set([value, value, value, 255], 4 * pixel));
  return result;
}

/** @returns {{ probabilities: number[], milliseconds: number }} with the mean time of a prediction */
function predict(model, image) {
  const pixels = Float32Array.from(image, (value) => value / 255);
  const begin = performance.now();
  let count = 0;
  let scores;
  let elapsed;
  do {
    [scores] = model.predict(pixels);
    count++;
    elapsed = performance.now() - begin;
  } while (elapsed < MEASURED);
  return { probabilities: probabilitiesOf(scores), milliseconds: elapsed / count };
}
