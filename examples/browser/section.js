/** @file A section of the page, which works once its files are in `models/`, and the numbers that models give. */

/** A file is not in `models/`: prepare.js has not been run for it. */
class NotPrepared extends Error {}

/**
 * Makes a section of the page work, or shows in it what is missing or wrong.
 * @param {string} id of the section
 * @param {() => Promise<void>} open loads its files and listens to its controls
 */
export async function openSection(id, open) {
  const section = document.getElementById(id);
  try {
    await open();
    section.dataset.state = 'ready';
  } catch (error) {
    section.querySelector('[data-when="failed"]').textContent = error.message;
    section.dataset.state = error instanceof NotPrepared ? 'missing' : 'failed';
  }
}

/**
 * @param {string} name of a file in `models/`
 * @returns {Promise<Response>}
 */
export async function fetchPrepared(name) {
  const response = await fetch(`models/${name}`);
  if (response.status === 404) throw new NotPrepared(`models/${name} is missing.`);
  if (!response.ok) throw new Error(`models/${name} cannot be loaded: the server answered ${response.status}.`);
  return response;
}

/**
 * @param {string} name of a packed file in `models/`
 * @returns {Promise<import('../../runtime/index.ts').Model>}
 */
export async function openModel(name) {
  const bytes = await (await fetchPrepared(name)).arrayBuffer();
  const { loadModel } = await import('./models/runtime.js');
  return loadModel(bytes);
}

/**
 * Probabilities of classes from what a model gives: logits, or probabilities already.
 * @param {Float32Array} outputs
 * @param {number} [temperature] above 0; below 1 makes likely classes likelier
 * @returns {number[]} their sum is 1
 */
export function probabilitiesOf(outputs, temperature = 1) {
  const sum = outputs.reduce((total, value) => total + value, 0);
  const isDistribution = outputs.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-3;
  const logits = Array.from(outputs, (value) => (isDistribution ? Math.log(value) : value) / temperature);
  const largest = logits.reduce((most, value) => Math.max(most, value));
  const powers = logits.map((value) => Math.exp(value - largest));
  const total = powers.reduce((sumOfPowers, value) => sumOfPowers + value);
  return powers.map((value) => value / total);
}

/**
 * @param {readonly number[]} numbers
 * @returns {number} index of the largest
 */
export function indexOfLargest(numbers) {
  return numbers.reduce((best, value, index) => (value > numbers[best] ? index : best), 0);
}
