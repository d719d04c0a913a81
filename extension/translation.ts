/** @file Texts in the display language, for what runs without VS Code. */

/** VS Code's, or that of a test. */
export interface Translation {
  t(message: string, ...values: (string | number)[]): string;
}
