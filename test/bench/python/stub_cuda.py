"""Lets the default Linux wheel of PyTorch, which is built with CUDA, be imported without the CUDA libraries.

Its libraries name libcudart.so.13, libcublas.so.13 and ten others; the dynamic linker wants each file and each symbol,
though none is called on a machine without a GPU. libcudart alone is called while they load (their kernels register
themselves): that one is real, the wheel `nvidia-cuda-runtime` of 2 MB. For the others this script compiles one library
that defines every symbol asked for, as a function that aborts, and puts it under each name beside libcudart, where
PyTorch's run path looks. PyTorch's CPU code is untouched.
"""

import importlib.util
import pathlib
import re
import shutil
import subprocess

CUDA_LIBRARY = re.compile(r"\[(lib(?:cu|nv|nccl)[^\]]*)\]")
CUDA_SYMBOL = re.compile(r"^(?:cupti|cudnn|nccl|cublas|cusparse|cufft|nvrtc|nvshmem|cuFile|cusolver|nvJit)")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    package = pathlib.Path(importlib.util.find_spec("torch").origin).parent
    libraries = [str(path) for path in (package / "lib").glob("*.so")]
    (folder,) = {path.parent for path in package.parent.glob("nvidia/*/lib/libcudart.so.*")}

    undefined = [line.split()[-1] for line in output("nm", "-D", "--undefined-only", *libraries).splitlines() if " U " in line]
    symbols = sorted({name.split("@")[0] for name in undefined if CUDA_SYMBOL.match(name)})
    source = "#include <stdlib.h>\n" + "".join(f"void {name}(void) {{ abort(); }}\n" for name in symbols)
    stub = folder / "stub.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", stub], input=source, text=True, check=True)

    for name in sorted(set(CUDA_LIBRARY.findall(output("readelf", "-d", *libraries)))):
        if not (folder / name).exists():
            shutil.copy(stub, folder / name)
    stub.unlink()


if __name__ == "__main__":
    main()
