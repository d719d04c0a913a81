/** @file The error of every reader in this folder. */

/**
 * A file's content is damaged or not supported. The message is a clause about the content ("its header is cut off …");
 * a reader sees bytes only, so whoever opened the file puts its name in front.
 */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}
