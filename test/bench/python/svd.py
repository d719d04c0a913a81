"""numpy's side of the truncation benchmark: LAPACK's gesdd on one float32 matrix.

Speaks lines, so that the bench can interleave its rounds with those of other processes:
  at start  -> {"numpy", "threads", "blas"}
  "N"       -> {"millisecondsPerStep"}: N decompositions
End of input ends it.
"""

import argparse
import json
import os
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--matrix", required=True, help="file of float32 elements, row-major")
parser.add_argument("--rows", type=int, required=True)
parser.add_argument("--columns", type=int, required=True)
parser.add_argument("--threads", required=True)
options = parser.parse_args()

# OpenBLAS reads these when numpy is loaded. Where an older one needs to be told which kernels are safe, this numpy does not,
# and its own choice is the fastest.
os.environ["OPENBLAS_NUM_THREADS"] = options.threads
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)
import numpy  # noqa: E402


def reply(value):
    print(json.dumps(value), flush=True)


matrix = numpy.fromfile(options.matrix, dtype="<f4").reshape(options.rows, options.columns)
blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
reply({"numpy": numpy.__version__, "threads": int(options.threads), "blas": f"{blas['name']} {blas['version']}"})
for line in sys.stdin:
    steps = int(line)
    start = time.perf_counter()
    for _ in range(steps):
        numpy.linalg.svd(matrix, full_matrices=False)
    reply({"millisecondsPerStep": (time.perf_counter() - start) * 1000 / steps})
