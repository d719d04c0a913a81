/** @file Which files of a workspace are looked at for a new experiment, by their names: for the editor's search and for that of the server of agents. */

/** Folders in which no model of the user's is, at any depth. */
export const EXCLUDED_FOLDERS = [
  'node_modules',
  '.deeptwist',
  '.git',
  'dist',
  'out',
  'build',
  'coverage',
  '.venv',
  'venv',
];

/** Endings of images, which lie in a folder of their class. */
export const imageEndings = ['.jpg', '.jpeg', '.png'] as const;
export const arrayEndings = ['.npy', '.npz', '.safetensors'] as const;
export const TABLE_ENDING = '.csv';
/** The end of the file with the sentences to train on. */
export const TEXT_ENDING = '.train.txt';
/** The file of a model of TensorFlow.js. */
export const MODEL_JSON = 'model.json';

/** Files of each kind that are looked for: a single set of images may have as many as the first thousands. */
export const MOST_FOUND = { sources: 3000, images: 4000, others: 50 } as const;
