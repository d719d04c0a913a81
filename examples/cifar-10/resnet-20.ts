/**
 * ResNet-20 for CIFAR-10 (He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.2): 270,000 weights. Where a stage
 * halves the image and doubles the channels, the shortcut is a convolution of 1 x 1 (option B); the paper has option A, every second
 * pixel with zeros in the new channels, which has no weights. They reach 91.25% after 164 epochs.
 */
import * as tf from '@tensorflow/tfjs';

const STAGES = [16, 32, 64];
/** Two convolutions each: 6 n + 2 layers, n = 3. */
const BLOCKS = 3;

export function createModel({ inputShape, classes }: { inputShape: number[]; classes: number }): tf.LayersModel {
  const pixels = tf.input({ shape: inputShape });
  let x = normalized(convolution(pixels, 'conv1', STAGES[0], 3, 1), 'conv1');
  STAGES.forEach((filters, stage) => {
    for (let block = 0; block < BLOCKS; block++) {
      const name = `stage${stage + 1}_block${block + 1}`;
      x = residual(x, name, filters, stage > 0 && block === 0 ? 2 : 1);
    }
  });
  const pooled = tf.layers.globalAveragePooling2d({}).apply(x);
  const logits = tf.layers.dense({ name: 'logits', units: classes, kernelInitializer: 'heNormal' }).apply(pooled);
  return tf.model({ inputs: pixels, outputs: logits as tf.SymbolicTensor });
}

/** x + f(x), both of them halved and widened where the stride is 2. */
function residual(x: tf.SymbolicTensor, name: string, filters: number, strides: number): tf.SymbolicTensor {
  const inside = normalized(convolution(x, `${name}_conv1`, filters, 3, strides), `${name}_conv1`);
  const change = normalized(convolution(inside, `${name}_conv2`, filters, 3, 1), `${name}_conv2`, { relu: false });
  const shortcut =
    strides === 1
      ? x
      : normalized(convolution(x, `${name}_shortcut`, filters, 1, 2), `${name}_shortcut`, { relu: false });
  return relu(tf.layers.add().apply([shortcut, change]));
}

/** He et al. 2015's initial weights; no bias, which the normalization has. */
function convolution(x: tf.SymbolicTensor, name: string, filters: number, kernelSize: number, strides: number) {
  const kernelInitializer = 'heNormal';
  const settings = { name, filters, kernelSize, strides, padding: 'same', useBias: false, kernelInitializer } as const;
  return tf.layers.conv2d(settings).apply(x) as tf.SymbolicTensor;
}

function normalized(x: tf.SymbolicTensor, name: string, options = { relu: true }): tf.SymbolicTensor {
  const layer = tf.layers.batchNormalization({ name: `${name}_norm`, momentum: 0.9, epsilon: 1e-5 });
  const result = layer.apply(x) as tf.SymbolicTensor;
  return options.relu ? relu(result) : result;
}

const relu = (x: tf.SymbolicTensor | tf.Tensor | tf.SymbolicTensor[] | tf.Tensor[]) =>
  tf.layers.reLU().apply(x) as tf.SymbolicTensor;
