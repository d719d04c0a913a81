"""Writes models of Keras as .keras and .h5, with what Keras predicts for a batch: the reference for `npm run bench -- keras`, and the
fixtures of test/unit/models/keras/.

For each model a folder with
  model.keras, model.h5, weights.weights.h5
  reference.npz    input0, input1, … and output0, output1, …: a batch, and what the model makes of it

pip install keras jax && python export_keras.py --out FOLDER [MODEL…]
The fixtures: python export_keras.py --scale 1 --compress --out test/unit/models/keras/fixtures
Made with keras 3.15, jax 0.10, h5py 3.16.
"""

import argparse
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402
from keras_fixtures import compress, save  # noqa: E402

BATCH = 4


def mlp(scale):
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(5 * scale, activation="relu", name="fc1"),
            layers.Dropout(0.5),
            layers.Dense(4 * scale, activation="gelu"),
            layers.Dense(4, activation="silu", kernel_regularizer="l2"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def cnn(scale):
    """Two layers of each class: the names in the file of weights are not theirs."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(1 / 3),
            layers.RandomFlip(),
            layers.Conv2D(4 * scale, 3, padding="same", use_bias=False, name="second"),
            layers.BatchNormalization(name="bn_b"),
            layers.ReLU(6),
            layers.MaxPooling2D(),
            layers.Conv2D(5 * scale, 3, strides=2, name="first"),
            layers.BatchNormalization(scale=False, name="bn_a"),
            layers.LeakyReLU(negative_slope=0.1),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


def residual(scale):
    inputs = keras.Input((8, 8, 4))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(4, 3, padding="same")(x)
    x = layers.Add()([x, inputs])
    y = layers.Conv2DTranspose(3 * scale, 2, strides=2, activation="elu")(x)
    y = layers.AveragePooling2D(2)(y)
    x = layers.Concatenate()([x, y])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


def mobilenet(scale):
    """Howard et al. 2017 and Sandler et al. 2018, in small: depthwise and separable convolutions, relu6."""
    inputs = keras.Input((8, 8, 3))
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(inputs)
    x = layers.DepthwiseConv2D(3, strides=2, depth_multiplier=2)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu6")(x)
    x = layers.SeparableConv2D(6 * scale, 3, padding="same", depth_multiplier=2, activation="relu6")(x)
    x = layers.UpSampling2D()(x)
    x = layers.Cropping2D(1)(x)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    x = layers.GlobalMaxPooling2D()(x)
    return keras.Model(inputs, layers.Dense(3)(x))


def lstm(scale):
    return keras.Sequential(
        [
            keras.Input((5, 3)),
            layers.LSTM(4 * scale, return_sequences=True),
            layers.SpatialDropout1D(0.2),
            layers.LSTM(3 * scale, go_backwards=True),
            layers.LayerNormalization(),
            layers.Dense(2),
        ]
    )


def gru(scale):
    return keras.Sequential(
        [
            keras.Input((5, 3)),
            layers.GRU(4 * scale, return_sequences=True, reset_after=False),
            layers.SimpleRNN(3 * scale),
            layers.Dense(2),
        ]
    )


def gru_reset_after(scale):
    return keras.Sequential(
        [
            keras.Input((5, 3)),
            layers.GRU(4 * scale, return_sequences=True),
            layers.Bidirectional(layers.GRU(3 * scale)),
            layers.Dense(2),
        ]
    )


def bidirectional(scale):
    inputs = keras.Input((5, 3))
    x = layers.Bidirectional(layers.LSTM(4 * scale, return_sequences=True))(inputs)
    x = layers.Bidirectional(layers.SimpleRNN(3 * scale), merge_mode="sum")(x)
    return keras.Model(inputs, layers.Dense(2)(x))


def embedding(scale):
    return keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(11, 4 * scale),
            layers.Conv1D(5 * scale, 3, activation="tanh"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def masked(scale):
    """The steps whose word is 0 count for none of the recurrent layers."""
    return keras.Sequential(
        [
            keras.Input((9,), dtype="int32"),
            layers.Embedding(11, 4 * scale, mask_zero=True),
            layers.LSTM(3 * scale, return_sequences=True),
            layers.Dense(3 * scale, activation="tanh"),
            layers.Bidirectional(layers.GRU(2 * scale)),
            layers.Dense(2),
        ]
    )


def nested(scale):
    """Models in a model, sequential and functional, called twice, with layers of the same class before and behind them."""
    encoder = keras.Sequential(
        [keras.Input((4,)), layers.Dense(5 * scale, name="inner"), layers.BatchNormalization(), layers.Dense(4)],
        name="encoder",
    )
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    shared = layers.Dense(4, activation="tanh", name="shared")
    x = layers.Multiply()([encoder(shared(left)), encoder(shared(right))])
    gate_input = keras.Input((4,))
    gate = keras.Model(gate_input, layers.Dense(4, activation="sigmoid")(gate_input), name="gate")
    x = layers.Add()([gate(x), gate(left)])
    return keras.Model([left, right], layers.Dense(2, name="head")(x))


def multi_input(scale):
    image, vector = keras.Input((6, 6, 2), name="image"), keras.Input((3,), name="vector")
    x = layers.Conv2D(3 * scale, 3, activation="softplus")(image)
    x = layers.Flatten()(x)
    y = layers.Dense(4 * scale, activation="selu")(vector)
    z = layers.Concatenate()([x, y])
    return keras.Model([image, vector], [layers.Dense(2, name="class")(z), layers.Dense(1, name="size")(y)])


def operations(scale):
    """Operators between layers, and layers that TensorFlow.js lacks."""
    inputs = keras.Input((4,))
    normalization = layers.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0])
    x = normalization(inputs)
    a, b = layers.Dense(5 * scale)(x), layers.Dense(5 * scale)(x)
    x = layers.Concatenate()([a + b, layers.Subtract()([a, b]), layers.Average()([a, b])])
    return keras.Model(inputs, layers.Dense(2)(layers.Identity()(x)))


def time_distributed(scale):
    return keras.Sequential(
        [
            keras.Input((3, 6, 6, 1)),
            layers.TimeDistributed(layers.Conv2D(2 * scale, 3)),
            layers.TimeDistributed(layers.Flatten()),
            layers.LSTM(3 * scale),
            layers.Dense(2),
        ]
    )


def halves(scale, types=("float16", "bfloat16")):
    """Weights of 16 bits. What it predicts is taken of the same model in float32, since Keras rounds every result to 16 bits, too."""
    half, brain = types
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(5 * scale, activation="relu", dtype=half),
            layers.Dense(2, dtype=brain),
        ]
    )


MODELS = [
    mlp,
    cnn,
    residual,
    mobilenet,
    lstm,
    gru,
    gru_reset_after,
    bidirectional,
    embedding,
    masked,
    nested,
    multi_input,
    operations,
    time_distributed,
    halves,
]


def randomize(model, generator):
    """Weights that are all different, so that an order or a layout that is wrong shows."""
    for variable in model.weights:
        values = generator.normal(0, 0.5, variable.shape)
        is_positive = variable.path.endswith(("variance", "gamma"))
        variable.assign((np.abs(values) + 0.5 if is_positive else values).astype("float32"))


def write(create, folder, scale, compiled):
    keras.utils.set_random_seed(7)
    keras.backend.clear_session()
    generator = np.random.default_rng(7)
    # A model before it takes the first names, as in a notebook.
    mlp(1)
    model = create(scale)
    randomize(model, generator)
    if compiled:
        model.compile(optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    inputs = []
    for tensor in model.inputs:
        shape = (BATCH, *tensor.shape[1:])
        if tensor.dtype == "int32":
            inputs.append(generator.integers(0, 11, shape).astype("int32"))
        else:
            inputs.append(generator.normal(0, 1, shape).astype("float32"))
    predicting = model
    if create is halves:
        predicting = halves(scale, ("float32", "float32"))
        predicting.set_weights([np.asarray(value).astype("float32") for value in model.get_weights()])
    outputs = predicting.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    save(model, folder, inputs, outputs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--scale", type=int, default=8, help="units of the layers, in multiples of the smallest")
    parser.add_argument("--compress", action="store_true", help="as the fixtures are: --compress --scale 1")
    parser.add_argument("models", nargs="*")
    options = parser.parse_args()
    for create in MODELS:
        if not options.models or create.__name__ in options.models:
            folder = options.out / create.__name__
            write(create, folder, options.scale, create is mlp)
            if options.compress:
                compress(folder)


if __name__ == "__main__":
    main()
