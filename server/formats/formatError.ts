/** @file The error of every reader in this folder. */

/**
 * A file's content is damaged or not supported. The message is a clause about the content ("its header is cut off …");
 * a reader sees bytes only, so whoever opened the file puts its name in front.
 */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  /** What to do, where the content tells better than the setting that names the file. */
  readonly remedy: string | undefined;

  constructor(message: string, { remedy }: { remedy?: string } = {}) {
    super(message);
    this.remedy = remedy;
  }
}
