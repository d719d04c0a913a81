/**
 * Puts a copy of CIFAR-10 that you have (Krizhevsky 2009) into the folders that the experiments here read: data/train/CLASS/ and
 * data/test/CLASS/, 50,000 and 10,000 images of 32 x 32 pixels. Nothing is downloaded.
 *
 *   node examples/cifar-10/prepare.js ARCHIVE.tar.gz
 *   node examples/cifar-10/prepare.js FOLDER
 *
 * The archive or folder has image files in train/CLASS/ and test/CLASS/, at any depth, or it is the binary version,
 * cifar-10-binary.tar.gz, whose images are written as PNG. Without an argument: the archive in examples/cifar-10/data/.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync, gunzipSync } from 'node:zlib';

const TARGET = fileURLToPath(new URL('./data/', import.meta.url));
const IMAGE = /(?:^|\/)((?:train|test)\/[^/]+\/[^/]+\.(?:jpe?g|png))$/i;
const BATCH = /(?:^|\/)(?:data_batch_[1-5]|(test)_batch)\.bin$/;
const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
const SIDE = 32;
/** Bytes of an image in the binary version: its label, then all red, all green, all blue. */
const RECORD = 1 + 3 * SIDE * SIDE;
const EXPECTED = { train: 5000, test: 1000 };

/**
 * The regular files of a tar archive. Names longer than its headers hold are not needed here.
 * @param {Buffer} archive
 * @returns {Generator<{ path: string, content: Buffer }>}
 */
export function* filesOfTar(archive) {
  const block = 512;
  const text = (/** @type {number} */ from, /** @type {number} */ length) =>
    archive.toString('utf8', from, from + length).replace(/\0[^]*$/, '');
  for (let at = 0; at + block <= archive.length && archive[at] !== 0;) {
    const size = parseInt(text(at + 124, 12), 8);
    const prefix = text(at + 257, 5) === 'ustar' ? text(at + 345, 155) : '';
    const type = text(at + 156, 1);
    const content = archive.subarray(at + block, at + block + size);
    if (content.length < size) throw new Error('The archive is cut off.');
    if (type === '' || type === '0')
      yield { path: prefix === '' ? text(at, 100) : `${prefix}/${text(at, 100)}`, content };
    at += block * (1 + Math.ceil(size / block));
  }
}

/**
 * The files in a folder and in those below it.
 * @param {string} folder
 * @returns {Generator<{ path: string, content: Buffer }>}
 */
function* filesOfFolder(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (IMAGE.test(path.split(sep).join('/')) || BATCH.test(entry.name)))
      yield { path: relative(folder, path).split(sep).join('/'), content: readFileSync(path) };
  }
}

/**
 * Images by their places in data/.
 * @param {Iterable<{ path: string, content: Buffer }>} files
 * @returns {Generator<{ path: string, content: Buffer }>}
 */
export function* imagesOf(files) {
  for (const { path, content } of files) {
    const image = IMAGE.exec(path);
    const batch = BATCH.exec(path);
    // Dots lead out of the folder.
    if (image && !image[1].includes('..')) yield { path: image[1], content };
    if (batch) yield* imagesOfBatch(content, batch[1] ?? 'train', path.replace(/^.*\/|\.bin$/g, ''));
  }
}

/**
 * @param {Buffer} batch of the binary version
 * @param {string} split
 * @param {string} name
 */
function* imagesOfBatch(batch, split, name) {
  if (batch.length % RECORD !== 0)
    throw new Error(`${name}.bin is no batch of the binary version: ${batch.length} bytes.`);
  for (let at = 0, number = 0; at < batch.length; at += RECORD, number++) {
    const label = CLASSES[batch[at]];
    if (label === undefined) throw new Error(`${name}.bin has the label ${batch[at]}; CIFAR-10 has 0 to 9.`);
    yield { path: `${split}/${label}/${name}-${number}.png`, content: png(batch.subarray(at + 1, at + RECORD)) };
  }
}

/** @param {Buffer} planes @returns {Buffer} */
function png(planes) {
  const rows = Buffer.alloc(SIDE * (1 + 3 * SIDE));
  for (let pixel = 0; pixel < SIDE * SIDE; pixel++)
    for (let channel = 0; channel < 3; channel++)
      rows[pixel * 3 + Math.floor(pixel / SIDE) + 1 + channel] = planes[channel * SIDE * SIDE + pixel];
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header.set([8, 2], 8);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0))
  ]);
}

/** @param {string} type @param {Buffer} data @returns {Buffer} */
function chunk(type, data) {
  const result = Buffer.alloc(12 + data.length);
  result.writeUInt32BE(data.length, 0);
  result.write(type, 4, 'latin1');
  data.copy(result, 8);
  result.writeUInt32BE(crc32(result.subarray(4, 8 + data.length)), 8 + data.length);
  return result;
}

/** The archive that a user has put there. @returns {string} */
function archiveInData() {
  mkdirSync(TARGET, { recursive: true });
  const archive = readdirSync(TARGET).find((name) => /\.(tar\.gz|tgz|tar)$/.test(name));
  if (archive !== undefined) return join(TARGET, archive);
  throw new Error(`There is no archive in ${TARGET}. Name one: node examples/cifar-10/prepare.js ARCHIVE.tar.gz`);
}

/** @param {string} source */
function filesIn(source) {
  if (statSync(source).isDirectory()) return filesOfFolder(source);
  const bytes = readFileSync(source);
  return filesOfTar(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
}

/** @param {string} source archive or folder @param {string} target */
export function prepare(source, target) {
  let written = 0;
  const folders = new Set();
  for (const { path, content } of imagesOf(filesIn(source))) {
    const file = join(target, path);
    if (!folders.has(dirname(file))) mkdirSync(dirname(file), { recursive: true });
    folders.add(dirname(file));
    writeFileSync(file, content);
    written++;
  }
  if (written === 0)
    throw new Error(`${source} has neither train/CLASS/ and test/CLASS/ with images nor data_batch_1.bin.`);
  return written;
}

/** Says how many images there are, and what is missing. @param {string} target */
function report(target) {
  for (const [split, expected] of Object.entries(EXPECTED)) {
    const counts = readdirSync(join(target, split)).map((name) => [
      name,
      readdirSync(join(target, split, name)).length
    ]);
    process.stdout.write(`${split}: ${counts.map(([name, count]) => `${name} ${count}`).join(', ')}\n`);
    if (counts.length !== CLASSES.length || counts.some(([, count]) => count !== expected))
      process.stderr.write(`CIFAR-10 has ${expected} images in each of ${CLASSES.length} classes there.\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const written = prepare(process.argv[2] ?? archiveInData(), TARGET);
    process.stdout.write(`${written} images in ${TARGET}\n`);
    report(TARGET);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
