/** @file Work on many items without doing it all at once: each open file takes one of the system's descriptors. */

/** Files that are open at a time: far below the least limit of a system, 256 of macOS. */
export const FILES_AT_ONCE = 16;

/** The results in the order of the items; at most `limit` are worked on at a time. */
export async function mapAtOnce<Item, Result>(
  items: readonly Item[],
  limit: number,
  map: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await map(items[i]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return results;
}
