"""Writes models of Keras 2 as .keras and .h5, with what Keras predicts: fixtures of test/unit/models/keras/.

pip install tensorflow-cpu tf_keras && python export_keras2.py --out test/unit/models/keras/fixtures
Made with tf_keras 2.21, tensorflow-cpu 2.21.
"""

import argparse
import pathlib

import numpy as np
import tf_keras as keras
from keras_fixtures import compress, save
from tf_keras import layers

BATCH = 4


def nested():
    encoder = keras.Sequential(
        [keras.Input((4,)), layers.Dense(5, name="inner"), layers.BatchNormalization(), layers.Dense(4)], name="encoder"
    )
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    shared = layers.Dense(4, activation="tanh", name="shared")
    x = layers.Multiply()([encoder(shared(left)), encoder(shared(right))])
    gate_input = keras.Input((4,))
    gate = keras.Model(gate_input, layers.Dense(4, activation="hard_sigmoid")(gate_input), name="gate")
    x = layers.Add()([gate(x), gate(left)])
    return keras.Model([left, right], layers.Dense(2, name="head")(x))


def recurrent():
    return keras.Sequential(
        [
            keras.Input((5, 3)),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.GRU(4, return_sequences=True),
            layers.TimeDistributed(layers.Dense(3)),
            layers.GRU(3, reset_after=False),
            layers.Dense(2),
        ]
    )


def convolutions():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, use_bias=False, name="second"),
            layers.BatchNormalization(scale=False),
            layers.LeakyReLU(alpha=0.1),
            layers.DepthwiseConv2D(3),
            layers.ReLU(6.0),
            layers.SeparableConv2D(5, 3, name="first"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, required=True)
    out = parser.parse_args().out
    for create in [nested, recurrent, convolutions]:
        keras.utils.set_random_seed(7)
        generator = np.random.default_rng(7)
        model = create()
        for variable in model.weights:
            values = generator.normal(0, 0.5, variable.shape)
            is_positive = variable.name.split(":")[0].endswith(("variance", "gamma"))
            variable.assign((np.abs(values) + 0.5 if is_positive else values).astype("float32"))
        inputs = [generator.normal(0, 1, (BATCH, *x.shape[1:])).astype("float32") for x in model.inputs]
        outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
        folder = out / f"keras2-{create.__name__}"
        save(model, folder, inputs, [outputs])
        compress(folder)


if __name__ == "__main__":
    main()
