"""PyTorch's side of a training-step benchmark: forward, backward and Adam on ready-made batches.

The batch file holds float32 images [batches, batch, 784] and then int32 labels [batches, batch].
"""

import argparse

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


MODELS = {"lenet-300-100": lenet_300_100, "lenet-5": lenet_5}


def read_batches(path, count, size):
    with open(path, "rb") as file:
        images = numpy.fromfile(file, dtype="<f4", count=count * size * 784)
        labels = numpy.fromfile(file, dtype="<i4", count=count * size)
    images = torch.from_numpy(images).view(count, size, 784)
    return list(images.unbind()), list(torch.from_numpy(labels).long().view(count, size).unbind())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--adam", choices=["foreach", "fused"], required=True)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--batches", required=True, help="batch file")
    parser.add_argument("--count", type=int, required=True, help="batches in the file")
    parser.add_argument("--size", type=int, required=True, help="samples in a batch")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model = MODELS[options.model]()
    if options.channels_last:
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, **{options.adam: True})
    images, labels = read_batches(options.batches, options.count, options.size)

    def step(index):
        batch = index % options.count
        functional.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    serve_steps({**describe_torch(torch), "adam": options.adam, "channelsLast": options.channels_last}, step)


if __name__ == "__main__":
    main()
