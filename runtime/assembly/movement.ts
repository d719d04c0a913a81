/** @file Numbers moved to other places: patches of images, concatenation, any permutation. */

/** y[i] = x[index[i]], and 0 where the index is -1. */
export function gather(x: usize, index: usize, length: i32, y: usize): void {
  for (let i = 0; i < length; i++) {
    const from = load<i32>(index);
    store<f32>(y, from < 0 ? 0 : load<f32>(x + ((<usize>from) << 2)));
    index += 4;
    y += 4;
  }
}

/** Copies `count` blocks of `bytes` each; a block begins `stride` bytes after the one before it. */
export function copyBlocks(x: usize, xStride: i32, bytes: i32, count: i32, y: usize, yStride: i32): void {
  for (let i = 0; i < count; i++) {
    memory.copy(y, x, bytes);
    x += <usize>xStride;
    y += <usize>yStride;
  }
}

/**
 * The patches that a convolution multiplies, for `count` positions of its output from `first` on: [count, kernel height, kernel width,
 * channels]. What lies outside the image [height, width, channels] is zero.
 * @param outputWidth positions in a row of the output
 */
export function copyPatches(
  x: usize,
  height: i32,
  width: i32,
  channels: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  dilationHeight: i32,
  dilationWidth: i32,
  paddingTop: i32,
  paddingLeft: i32,
  outputWidth: i32,
  first: i32,
  count: i32,
  patches: usize,
): void {
  const pixel = channels << 2;
  const line = kernelWidth * pixel;
  for (let position = first; position < first + count; position++) {
    const top = (position / outputWidth) * strideHeight - paddingTop;
    const left = (position % outputWidth) * strideWidth - paddingLeft;
    const isInside = dilationWidth === 1 && left >= 0 && left + kernelWidth <= width;
    for (let i = 0; i < kernelHeight; i++) {
      const row = top + i * dilationHeight;
      if (row < 0 || row >= height) {
        memory.fill(patches, 0, line);
        patches += <usize>line;
      } else if (isInside) {
        copyShort(patches, x + <usize>((row * width + left) * pixel), line);
        patches += <usize>line;
      } else {
        for (let j = 0; j < kernelWidth; j++) {
          const column = left + j * dilationWidth;
          if (column < 0 || column >= width) memory.fill(patches, 0, pixel);
          else copyShort(patches, x + <usize>((row * width + column) * pixel), pixel);
          patches += <usize>pixel;
        }
      }
    }
  }
}

/** A call of memory.copy costs more than the few numbers of a patch's line. */
function copyShort(to: usize, from: usize, bytes: i32): void {
  if (bytes > 256) {
    memory.copy(to, from, bytes);
    return;
  }
  let left = bytes;
  for (; left >= 16; left -= 16) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  }
  for (; left > 0; left -= 4) {
    store<f32>(to, load<f32>(from));
    to += 4;
    from += 4;
  }
}
