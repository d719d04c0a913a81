/** @file Folders as users bring them: arrays that a small network learns, a model of TensorFlow.js, one of PyTorch as ONNX. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../server/formats/random.ts';
import { npy } from '../fixtures/npy.ts';
import { graphFile, node, seededFloats } from '../unit/models/onnx/onnxFiles.ts';

const FEATURES = 16;
const CLASSES = 4;
const UNITS = 64;
const SAMPLES = { train: 4000, test: 1000 };

/** `data/x_train.npy` and so on: clouds of points around a center for each class, which overlap a little. */
export function writeArrays(folder: string): void {
  const random = new Random(3);
  const normal = () => Array.from({ length: 6 }, () => random.uniform() - 0.5).reduce((sum, value) => sum + value, 0);
  const centers = Array.from({ length: CLASSES }, () => Array.from({ length: FEATURES }, normal));
  mkdirSync(join(folder, 'data'));
  for (const [split, samples] of Object.entries(SAMPLES)) {
    const labels = Int32Array.from({ length: samples }, () => Math.floor(random.uniform() * CLASSES));
    const points = Float32Array.from(
      { length: samples * FEATURES },
      (_, i) => centers[labels[Math.floor(i / FEATURES)]][i % FEATURES] + normal(),
    );
    writeFileSync(join(folder, 'data', `x_${split}.npy`), npy(points, [samples, FEATURES]));
    writeFileSync(join(folder, 'data', `y_${split}.npy`), npy(labels, [samples]));
  }
}

/** `classifier.ts`, which exports its model. @param classes numbers that the model puts out */
export function writeModule(folder: string, classes = CLASSES): void {
  const text = `import * as tf from '@tensorflow/tfjs';

export function createModel(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.dense({ name: 'hidden', units: ${UNITS}, activation: 'relu', inputShape: [${FEATURES}] }),
      tf.layers.dense({ name: 'logits', units: ${classes} }),
    ],
  });
}
`;
  writeFileSync(join(folder, 'classifier.ts'), text);
}

/** `net.onnx`, as `torch.onnx.export` writes two layers `nn.Linear` with a rectifier between. */
export function writeOnnx(folder: string): void {
  const { randomFloats } = seededFloats();
  const tensors = {
    'fc1.weight': randomFloats([UNITS, FEATURES], 1 / Math.sqrt(FEATURES)),
    'fc1.bias': randomFloats([UNITS], 0.1),
    'fc2.weight': randomFloats([CLASSES, UNITS], 1 / Math.sqrt(UNITS)),
    'fc2.bias': randomFloats([CLASSES], 0.1),
  };
  const linear = (input: string, name: string, output: string) =>
    node('Gemm', [input, `${name}.weight`, `${name}.bias`], output, { transB: { int: 1 } });
  const nodes = [linear('x', 'fc1', 'h'), node('Relu', ['h'], 'r'), linear('r', 'fc2', 'y')];
  writeFileSync(join(folder, 'net.onnx'), graphFile({ nodes, tensors, input: ['batch', FEATURES] }));
}
