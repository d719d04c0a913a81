/** @file Pooling, and convolutions of each channel by itself. Images are [height, width, channels]. */

/**
 * Largest or mean number of each window, channel by channel; the numbers outside the image are in no window.
 * @param isMaximum 1 for the largest, 0 for the mean
 */
export function pool(
  isMaximum: i32,
  x: usize,
  height: i32,
  width: i32,
  channels: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  paddingTop: i32,
  paddingLeft: i32,
  outputHeight: i32,
  outputWidth: i32,
  y: usize,
): void {
  const pixel = (<usize>channels) << 2;
  for (let i = 0; i < outputHeight; i++)
    for (let j = 0; j < outputWidth; j++) {
      const top = i * strideHeight - paddingTop;
      const left = j * strideWidth - paddingLeft;
      const fromRow = max(top, 0);
      const toRow = min(top + windowHeight, height);
      const fromColumn = max(left, 0);
      const toColumn = min(left + windowWidth, width);
      const part = <f32>1 / <f32>((toRow - fromRow) * (toColumn - fromColumn));
      let at: usize = 0;
      for (; at + 16 <= pixel; at += 16) {
        let result = isMaximum ? f32x4.splat(-Infinity) : f32x4.splat(0);
        for (let row = fromRow; row < toRow; row++)
          for (let column = fromColumn; column < toColumn; column++) {
            const v = v128.load(x + <usize>(row * width + column) * pixel + at);
            result = isMaximum ? f32x4.max(result, v) : f32x4.add(result, v);
          }
        v128.store(y + at, isMaximum ? result : f32x4.mul(result, f32x4.splat(part)));
      }
      for (; at < pixel; at += 4) {
        let result: f32 = isMaximum ? -Infinity : 0;
        for (let row = fromRow; row < toRow; row++)
          for (let column = fromColumn; column < toColumn; column++) {
            const v = load<f32>(x + <usize>(row * width + column) * pixel + at);
            result = isMaximum ? max(result, v) : result + v;
          }
        store<f32>(y + at, isMaximum ? result : result * part);
      }
      y += pixel;
    }
}

/**
 * Each channel convolved with kernels of its own: y[position, channel * multiplier + m].
 * @param kernel [kernel height, kernel width, channels, multiplier]
 * @param bias [channels * multiplier]
 */
export function convolveDepthwise(
  x: usize,
  height: i32,
  width: i32,
  channels: i32,
  kernel: usize,
  kernelHeight: i32,
  kernelWidth: i32,
  multiplier: i32,
  strideHeight: i32,
  strideWidth: i32,
  dilationHeight: i32,
  dilationWidth: i32,
  paddingTop: i32,
  paddingLeft: i32,
  outputHeight: i32,
  outputWidth: i32,
  bias: usize,
  y: usize,
): void {
  const filters = channels * multiplier;
  const filterBytes = (<usize>filters) << 2;
  for (let i = 0; i < outputHeight; i++)
    for (let j = 0; j < outputWidth; j++) {
      memory.copy(y, bias, filterBytes);
      for (let r = 0; r < kernelHeight; r++) {
        const row = i * strideHeight - paddingTop + r * dilationHeight;
        if (row < 0 || row >= height) continue;
        for (let s = 0; s < kernelWidth; s++) {
          const column = j * strideWidth - paddingLeft + s * dilationWidth;
          if (column < 0 || column >= width) continue;
          const from = x + ((<usize>((row * width + column) * channels)) << 2);
          const weights = kernel + <usize>(r * kernelWidth + s) * filterBytes;
          if (multiplier === 1) addProducts(from, weights, filterBytes, y);
          else
            for (let c = 0; c < channels; c++) {
              const v = load<f32>(from + ((<usize>c) << 2));
              for (let m = 0; m < multiplier; m++) {
                const at = (<usize>(c * multiplier + m)) << 2;
                store<f32>(y + at, load<f32>(y + at) + v * load<f32>(weights + at));
              }
            }
        }
      }
      y += filterBytes;
    }
}

/** y += a b, number by number. */
function addProducts(a: usize, b: usize, bytes: usize, y: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16)
    v128.store(y + at, f32x4.add(v128.load(y + at), f32x4.mul(v128.load(a + at), v128.load(b + at))));
  for (; at < bytes; at += 4) store<f32>(y + at, load<f32>(y + at) + load<f32>(a + at) * load<f32>(b + at));
}
