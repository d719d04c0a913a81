/** @file A chart as text and as a picture: rows for the table and the CSV file, and a PNG with title and legend. */
import * as l10n from '@vscode/l10n';
import type { ChartContent, Named, Series } from './model/content.ts';
import { seriesColor } from './theme.ts';
import type { ChartTheme } from './theme.ts';

/** Rows are made when they are asked for: a series may have a million. */
export interface Rows {
  readonly header: readonly string[];
  readonly length: number;
  row(index: number): readonly (number | string)[];
}

/** How columns are headed. */
export interface Headings {
  name(of: Named): string;
  /** Bounds of a bin. */
  from(name: string): string;
  to(name: string): string;
  /** Heading of the column in which a stem begins. */
  begin(name: string): string;
  /** Name of the one series that a row is of, and where its stem begins. */
  readonly series: string;
  readonly begins: string;
}

export const tableHeadings: Headings = {
  name: ({ label }) => label,
  from: (name) => l10n.t('{0} from', name),
  to: (name) => l10n.t('{0} to', name),
  begin: (name) => l10n.t('{0} (from)', name),
  series: l10n.t('series'),
  begins: l10n.t('from'),
};

/** In English: a program that reads the file finds the same columns whatever the language of the page. */
export const fileHeadings: Headings = {
  name: ({ label, column }) => column ?? label,
  from: (name) => `${name} from`,
  to: (name) => `${name} to`,
  begin: (name) => `${name} (from)`,
  series: 'series',
  begins: 'from',
};

/** One row a point: side by side where all series share their x, else one below the other with the series' name. */
export function contentRows(content: ChartContent, headings: Headings): Rows {
  const { series, x: axis } = content;
  const [first] = series;
  const { name } = headings;
  const xName = name(axis);
  if (!first) return { header: [xName], length: 0, row: () => [] };
  const bins = series.some(({ mark }) => mark === 'bins');
  const edges = bins ? [headings.from(xName), headings.to(xName)] : [xName];
  const place = (one: Series, i: number): number[] => (bins ? [one.x[i], one.x[i + 1] ?? one.x[i]] : [one.x[i]]);
  const values = (one: Series, i: number): number[] => (one.from ? [one.from[i], one.y[i]] : [one.y[i]]);

  if (series.every((other) => sameColumn(other.x, first.x)))
    return {
      header: [...edges, ...series.flatMap((one) => (one.from ? [headings.begin(name(one)), name(one)] : [name(one)]))],
      length: first.y.length,
      row: (i) => [...place(first, i), ...series.flatMap((one) => values(one, i))],
    };

  const ends: number[] = [];
  for (const one of series) ends.push((ends.at(-1) ?? 0) + one.y.length);
  const stems = series.some(({ from }) => from);
  return {
    header: [headings.series, ...edges, ...(stems ? [headings.begins] : []), name(content.y)],
    length: ends.at(-1)!,
    row(index) {
      const which = ends.findIndex((end) => index < end);
      const i = index - (ends[which - 1] ?? 0);
      const one = series[which];
      return [name(one), ...place(one, i), ...(stems ? [one.from?.[i] ?? ''] : []), one.y[i]];
    },
  };
}

function sameColumn(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** RFC 4180. What is not a number is an empty field. */
export function toCsv(rows: Rows): string {
  const lines = [rows.header.map(field).join(',')];
  for (let i = 0; i < rows.length; i++) lines.push(rows.row(i).map(field).join(','));
  return lines.join('\r\n') + '\r\n';
}

function field(value: number | string): string {
  if (typeof value === 'number') return Number.isNaN(value) ? '' : String(value);
  // A text that a spreadsheet would take for a formula is made text.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What a chart is saved as that is called so: `learning-rate.csv`. */
export function fileName(name: string, extension: 'csv' | 'png'): string {
  return `${name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-')}.${extension}`;
}

/** The chart as it is seen, with its title above and its legend below. */
export async function toPng(
  canvas: HTMLCanvasElement,
  title: string,
  series: readonly Series[],
  theme: ChartTheme,
): Promise<Uint8Array> {
  const density = canvas.width / canvas.clientWidth || 1;
  const [width, height] = [canvas.width / density, canvas.height / density];
  const picture = document.createElement('canvas');
  const ctx = picture.getContext('2d')!;
  ctx.font = `11px ${theme.font}`;
  const places: { one: Series; x: number; line: number }[] = [];
  let [x, line] = [12, 0];
  for (const one of series) {
    const needed = ctx.measureText(one.label).width + 36;
    if (x > 12 && x + needed > width) [x, line] = [12, line + 1];
    places.push({ one, x, line });
    x += needed;
  }
  picture.width = canvas.width;
  picture.height = Math.round((height + 30 + 18 * (line + 1) + 6) * density);
  ctx.scale(density, density);
  ctx.fillStyle = theme.background;
  ctx.fillRect(0, 0, picture.width, picture.height);
  ctx.fillStyle = theme.text;
  ctx.font = `600 13px ${theme.font}`;
  ctx.fillText(title, 12, 20);
  ctx.drawImage(canvas, 0, 30, width, height);
  ctx.font = `11px ${theme.font}`;
  for (const place of places) {
    const y = height + 30 + 18 * place.line + 12;
    ctx.fillStyle = seriesColor(theme, place.one.color);
    ctx.fillRect(place.x, y - 5, 14, 3);
    ctx.fillStyle = theme.text;
    ctx.fillText(place.one.label, place.x + 20, y);
  }
  const blob = await new Promise<Blob | null>((resolve) => picture.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('The picture of the chart could not be made.');
  return new Uint8Array(await blob.arrayBuffer());
}
