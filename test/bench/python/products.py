"""Large square matrix products in PyTorch: the speed that a training step cannot exceed. A step is one product."""

import argparse

import torch

from serve import describe_torch, serve_steps

parser = argparse.ArgumentParser()
parser.add_argument("--side", type=int, required=True)
parser.add_argument("--threads", type=int, required=True)
options = parser.parse_args()

torch.set_num_threads(options.threads)
a, b, product = (torch.rand(options.side, options.side) for _ in range(3))
serve_steps(describe_torch(torch), lambda _: torch.mm(a, b, out=product))
