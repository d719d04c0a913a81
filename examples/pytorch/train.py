"""Trains a small convolutional network on CIFAR-10 with PyTorch and exports it for DeepTwist: net.onnx and its test accuracy.

    pip install torch torchvision onnx
    python examples/pytorch/train.py --data examples/cifar-10/data
"""

import argparse
import pathlib
import time

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

HERE = pathlib.Path(__file__).parent


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(64)
        self.conv3 = nn.Conv2d(64, 128, 3, padding=1, bias=False)
        self.norm3 = nn.BatchNorm2d(128)
        self.conv4 = nn.Conv2d(128, 128, 3, padding=1, bias=False)
        self.norm4 = nn.BatchNorm2d(128)
        self.fc = nn.Linear(128, classes)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.norm1(self.conv1(x))), 2)
        x = functional.max_pool2d(functional.relu(self.norm2(self.conv2(x))), 2)
        x = functional.max_pool2d(functional.relu(self.norm3(self.conv3(x))), 2)
        x = functional.relu(self.norm4(self.conv4(x)))
        return self.fc(x.mean((2, 3)))


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in loader)
    return right / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with train/CLASS/ and test/CLASS/")
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    torch.manual_seed(0)

    # As "standardize": "symmetric" of DeepTwist: from -1 to 1.
    pixels = [transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    moved = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
    train = datasets.ImageFolder(options.data / "train", transforms.Compose([*moved, *pixels]))
    test = datasets.ImageFolder(options.data / "test", transforms.Compose(pixels))
    batches = DataLoader(train, batch_size=100, shuffle=True, drop_last=True, num_workers=1, persistent_workers=True)

    model = Net(len(train.classes))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=options.epochs * len(batches))
    for epoch in range(options.epochs):
        start = time.time()
        model.train()
        for images, labels in batches:
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}, {time.time() - start:.0f} s", flush=True)
    print(f"test accuracy: {100 * accuracy(model, DataLoader(test, batch_size=500)):.2f}%")

    # As a training step it moves the running statistics of the normalizations: so the batch is one of real images.
    model.train()
    torch.onnx.export(
        model,
        images,
        str(HERE / "net.onnx"),
        dynamo=False,
        opset_version=17,
        input_names=["input"],
        output_names=["output"],
        dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
        training=torch.onnx.TrainingMode.TRAINING,
        do_constant_folding=False,
    )


if __name__ == "__main__":
    main()
