/** @file Names what a file is that was mistaken for another: what a failed download or clone leaves. */

export interface FileKind {
  /** With its article: "a web page". */
  readonly name: string;
  readonly remedy: string;
}

/** Bytes that tell. */
const HEAD_BYTES = 512;

/** Undefined for a file that is not known to be something else than data. */
export function fileKindOf(bytes: Uint8Array): FileKind | undefined {
  if (bytes.length === 0)
    return { name: 'empty', remedy: 'Copy or download it again: unpacking it may have failed, or the disk was full.' };
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, HEAD_BYTES)).replace(/^\u00ef\u00bb\u00bf/, '');
  if (/^\s*<(!doctype html|html|head|body|\?xml)/i.test(head))
    return {
      name: 'a web page, not the data',
      remedy: 'Download it again: the server answered with a page, for example of an error. Its text tells why.',
    };
  if (head.startsWith('version https://git-lfs.github.com/spec/'))
    return {
      name: 'a pointer of Git LFS, not the data',
      remedy: 'Get the data with `git lfs pull` in its repository.',
    };
  return undefined;
}
