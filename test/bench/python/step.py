"""PyTorch's side of a training-step benchmark: forward, backward and Adam on ready-made batches.

The batch file holds float32 samples [batches, batch, numbers of a sample] and then int32 labels [batches, batch].
With --export the model is written as ONNX instead, as a user exports it for DeepTwist.
"""

import argparse
import math

import numpy
import torch
from torch import nn
from torch.nn import functional

from serve import describe_torch, serve_steps


def lenet_300_100():
    return nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))


def lenet_5():
    """LeNet-5 as Caffe's example trains it: 431,080 parameters, no activation after the convolutions."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 20, 5),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(800, 500),
        nn.ReLU(),
        nn.Linear(500, 10),
    )


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        residual = self.norm2(self.conv2(functional.relu(self.norm1(self.conv1(x)))))
        return functional.relu(residual + self.shortcut(x))


def resnet_20():
    """He et al. 2016 for CIFAR-10, with convolutions where the size of the image changes (option B)."""
    blocks = []
    for width, before in [(16, 16), (32, 16), (64, 32)]:
        blocks += [ResidualBlock(before, width, 2 if width > before else 1), *(ResidualBlock(width, width, 1) for _ in range(2))]
    first = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*first, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class EncoderLayer(nn.Module):
    """A layer of a Transformer's encoder (Vaswani et al. 2017), with its operations written out, as models of language do."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.queries, self.keys, self.values, self.joined = (nn.Linear(width, width) for _ in range(4))
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        def split(y):
            return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        queries, keys, values = split(self.queries(x)), split(self.keys(x)), split(self.values(x))
        scores = queries @ keys.transpose(-1, -2) / math.sqrt(queries.shape[-1])
        x = self.norm1(x + self.joined((scores.softmax(-1) @ values).transpose(1, 2).flatten(2)))
        return self.norm2(x + self.outer(functional.gelu(self.inner(x))))


class Transformer(nn.Module):
    """Two layers over a sequence of 128 vectors of 256 numbers; a class by their mean."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(EncoderLayer(256, 4), EncoderLayer(256, 4))
        self.classes = nn.Linear(256, 10)

    def forward(self, x):
        return self.classes(self.layers(x).mean(1))


class InvertedResidual(nn.Module):
    """A block of MobileNetV2 (Sandler et al. 2018): wider by a number a filter, one filter a channel, narrower again."""

    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        width = inputs * expansion
        self.is_residual = stride == 1 and inputs == outputs
        wider = [nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU6()] if expansion > 1 else []
        self.layers = nn.Sequential(
            *wider,
            *(nn.Conv2d(width, width, 3, stride, padding=1, groups=width, bias=False), nn.BatchNorm2d(width), nn.ReLU6()),
            *(nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)),
        )

    def forward(self, x):
        return x + self.layers(x) if self.is_residual else self.layers(x)


def mobilenet_v2():
    """The first blocks of MobileNetV2 for images of 32 x 32, whose first strides are 1."""
    blocks, before = [], 32
    for expansion, width, count, stride in [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2)]:
        for index in range(count):
            blocks.append(InvertedResidual(before, width, stride if index == 0 else 1, expansion))
            before = width
    first = [nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU6()]
    return nn.Sequential(*first, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))


def two_convolutions(inputs, outputs):
    layers = []
    for before in (inputs, outputs):
        layers += [nn.Conv2d(before, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """A U-Net (Ronneberger et al. 2015) of three sizes over images of 64 x 64; a class by the mean of its map."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([two_convolutions(3, 16), two_convolutions(16, 32)])
        self.bottom = two_convolutions(32, 64)
        self.up = nn.ModuleList([nn.ConvTranspose2d(64, 32, 2, 2), nn.ConvTranspose2d(32, 16, 2, 2)])
        self.joined = nn.ModuleList([two_convolutions(64, 32), two_convolutions(32, 16)])
        self.classes = nn.Conv2d(16, 10, 1)

    def forward(self, x):
        skipped = []
        for layer in self.down:
            skipped.append(layer(x))
            x = functional.max_pool2d(skipped[-1], 2)
        x = self.bottom(x)
        for up, joined in zip(self.up, self.joined):
            x = joined(torch.cat([skipped.pop(), up(x)], 1))
        return self.classes(x).mean((2, 3))


class Gru(nn.Module):
    """Two layers of 200 units over 35 time steps of 200 numbers; a class by the last state."""

    def __init__(self):
        super().__init__()
        self.layers = nn.GRU(200, 200, 2, batch_first=True)
        self.classes = nn.Linear(200, 10)

    def forward(self, x):
        return self.classes(self.layers(x)[0][:, -1])


def mlp_8192():
    """Two hidden layers of 8,192 units: 73.6 million parameters."""
    return nn.Sequential(nn.Linear(784, 8192), nn.ReLU(), nn.Linear(8192, 8192), nn.ReLU(), nn.Linear(8192, 10))


# Constructor and shape of a sample.
MODELS = {
    "lenet-300-100": (lenet_300_100, (784,)),
    "lenet-5": (lenet_5, (784,)),
    "resnet-20": (resnet_20, (3, 32, 32)),
    "mobilenet-v2": (mobilenet_v2, (3, 32, 32)),
    "u-net": (UNet, (3, 64, 64)),
    "transformer": (Transformer, (128, 256)),
    "gru": (Gru, (35, 200)),
    "mlp-8192": (mlp_8192, (784,)),
}


def read_batches(path, count, size, shape):
    with open(path, "rb") as file:
        samples = numpy.fromfile(file, dtype="<f4", count=count * size * math.prod(shape))
        labels = numpy.fromfile(file, dtype="<i4", count=count * size)
    samples = torch.from_numpy(samples).view(count, size, *shape)
    return list(samples.unbind()), list(torch.from_numpy(labels).long().view(count, size).unbind())


def export(model, shape, path):
    dynamic = {"dynamic_axes": {"input": {0: "batch"}, "output": {0: "batch"}}}
    names = {"input_names": ["input"], "output_names": ["output"]}
    training = {"training": torch.onnx.TrainingMode.TRAINING, "do_constant_folding": False}
    torch.onnx.export(model, torch.randn(2, *shape), path, dynamo=False, opset_version=17, **names, **dynamic, **training)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--export", help="ONNX file to write; nothing else is done then")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--adam", choices=["foreach", "fused"], default="fused")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--batches", help="batch file")
    parser.add_argument("--count", type=int, help="batches in the file")
    parser.add_argument("--size", type=int, help="samples in a batch")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    create, shape = MODELS[options.model]
    model = create()
    if options.export:
        return export(model, shape, options.export)
    if options.channels_last:
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, **{options.adam: True})
    samples, labels = read_batches(options.batches, options.count, options.size, shape)

    def step(index):
        batch = index % options.count
        functional.cross_entropy(model(samples[batch]), labels[batch]).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    serve_steps({**describe_torch(torch), "adam": options.adam, "channelsLast": options.channels_last}, step)


if __name__ == "__main__":
    main()
