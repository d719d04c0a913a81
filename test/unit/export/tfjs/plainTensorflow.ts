/** @file Loads an exported folder as a web page does: TensorFlow.js alone, in a process of its own, by HTTP. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';

/** What the process runs. It knows nothing of DeepTwist. */
const PROGRAM = `
  import * as tf from '@tensorflow/tfjs';
  tf.enableProdMode();
  const [, url, inputs] = process.argv;
  const model = await tf.loadLayersModel(url);
  const outputs = model.predict(tf.tensor(JSON.parse(inputs)));
  console.log(JSON.stringify({
    layers: model.layers.map(({ name }) => name),
    outputs: Array.from(outputs.dataSync()),
  }));
`;

const result = z.object({ layers: z.array(z.string()), outputs: z.array(z.number()) });

/**
 * @param folder of the export
 * @param inputs samples of an input of numbers
 * @returns the outputs, one after the other, and the names of the layers
 */
export async function predictPlainly(folder: string, inputs: readonly (readonly number[])[]) {
  const server = createServer((request, response) => {
    readFile(join(folder, new URL(request.url ?? '/', 'http://localhost').pathname)).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const args = ['--input-type=module', '--eval', PROGRAM, `http://127.0.0.1:${port}/model.json`];
    const { stdout } = await promisify(execFile)(process.execPath, [...args, JSON.stringify(inputs)]);
    return result.parse(JSON.parse(stdout));
  } finally {
    server.close();
  }
}
