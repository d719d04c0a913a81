/** @file Completes a text word by word, with a language model that goes on from its state. */
import { fetchPrepared, indexOfLargest, openModel, openSection, probabilitiesOf } from './section.js';

/** Stands between the sentences of the text that the model was trained on. */
const END_OF_SENTENCE = '<eos>';
/** Stands for every word that the model does not know; it is never written. */
const UNKNOWN = '<unk>';
const MOST_WORDS = 60;

openSection('text', async () => {
  const model = await openModel('text.safetensors');
  /** @type {string[]} */
  const vocabulary = await (await fetchPrepared('vocabulary.json')).json();
  const numbers = new Map(vocabulary.map((word, number) => [word, number]));
  const unknown = numbers.get(UNKNOWN);
  if (model.outputs[0].shape?.at(-1) !== vocabulary.length)
    throw new Error('models/vocabulary.json is not that of models/text.safetensors. Run prepare.js again.');

  const [form, prompt, temperature, complete, stop] = elements(
    'completing',
    'prompt',
    'temperature',
    'complete',
    'stop'
  );
  const [temperatureValue, beginning, words] = elements('temperature-value', 'beginning', 'words');
  const [unknownWords, time] = elements('unknown-words', 'word-time');

  const showTemperature = () => (temperatureValue.textContent = Number(temperature.value).toFixed(1));
  temperature.addEventListener('input', showTemperature);
  showTemperature();

  const numberOf = (word) => numbers.get(word) ?? numbers.get(word.toLowerCase());
  /** @returns {Float32Array} scores of the next word, until the next call */
  const read = (number) => model.step(Float32Array.of(number))[0];

  let isStopped = false;
  stop.addEventListener('click', () => (isStopped = true));
  const writeWords = async () => {
    const begun = prompt.value.split(/\s+/).filter((word) => word !== '');
    const notKnown = begun.filter((word) => numberOf(word) === undefined);
    unknownWords.textContent = notKnown.length > 0 ? `The model does not know: ${notKnown.join(', ')}` : '';
    beginning.textContent = begun.join(' ');
    words.textContent = '';
    time.textContent = '';

    model.reset();
    let scores = read(numbers.get(END_OF_SENTENCE));
    for (const word of begun) scores = read(numberOf(word) ?? unknown);
    let milliseconds = 0;
    for (let count = 1; count <= MOST_WORDS && !isStopped; count++) {
      const number = chooseWord(scores, Number(temperature.value), unknown);
      words.append(vocabulary[number] === END_OF_SENTENCE ? '.\n' : ` ${vocabulary[number]}`);
      const start = performance.now();
      scores = read(number);
      milliseconds += performance.now() - start;
      time.textContent = `${(milliseconds / count).toPrecision(2)} ms per word`;
      await new Promise(requestAnimationFrame);
    }
  };

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    isStopped = false;
    [complete.disabled, stop.disabled] = [true, false];
    try {
      await writeWords();
    } finally {
      [complete.disabled, stop.disabled] = [false, true];
    }
  });
});

/** @param {...string} ids @returns {HTMLElement[]} */
function elements(...ids) {
  return ids.map((id) => document.getElementById(id));
}

/**
 * @param {Float32Array} scores of each word
 * @param {number} temperature 0 for the likeliest word; else a word is drawn by its probability at that temperature
 * @param {number} unknown the word that is not chosen
 * @returns {number}
 */
function chooseWord(scores, temperature, unknown) {
  const probabilities = probabilitiesOf(scores, temperature || 1);
  probabilities[unknown] = 0;
  const likeliest = indexOfLargest(probabilities);
  if (temperature === 0) return likeliest;
  let rest = Math.random() * probabilities.reduce((sum, value) => sum + value);
  const drawn = probabilities.findIndex((probability) => (rest -= probability) < 0);
  return drawn < 0 ? likeliest : drawn;
}
