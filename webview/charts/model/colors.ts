/** @file Colours between colours. Pure. */

/** @param from and `to` as `#rrggbb` */
export function mixed(from: string, to: string, share: number): string {
  const channels = (color: string) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const [a, b] = [channels(from), channels(to)];
  return `#${a
    .map((value, i) =>
      Math.round(value + share * (b[i] - value))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}
