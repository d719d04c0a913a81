"""The child's side of ../child.ts: says what it is, then answers each line `N` with the mean time of N steps."""

import json
import re
import resource
import sys
import time

BUILD_LINE = re.compile("Math Kernel Library|MKL-DNN|OpenMP|CPU capability")


def describe_torch(torch):
    lines = torch.__config__.show().splitlines()
    return {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "build": [line.strip(" -") for line in lines if BUILD_LINE.search(line)],
    }


def serve_steps(description, step):
    """`step(index)` does the work of step number `index`."""
    print(json.dumps(description), flush=True)
    index = 0
    for line in sys.stdin:
        steps = int(line)
        start = time.perf_counter()
        for _ in range(steps):
            step(index)
            index += 1
        elapsed = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(json.dumps({"millisecondsPerStep": elapsed * 1000 / steps, "peakGiB": peak}), flush=True)
