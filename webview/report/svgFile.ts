/** @file A chart of the dashboard as a file of its own in SVG, with its title and its legend, for documents: light or dark as the reader's system is. */
import type { ChartContent } from '../charts/model/content.ts';
import { html, Markup } from './html.ts';
import { chartStyle, themeStyle } from './style.ts';
import { drawing, HEIGHT, key, WIDTH } from './svgChart.ts';

const MARGIN = 14;
/** Title, and the label of the vertical axis. */
const HEAD = 50;
const LEGEND_ROW = 18;
/** Width of a letter of the legend, about: SVG breaks no lines by itself. */
const LETTER = 6.4;
const KEY = 22;

const style = `${themeStyle}
svg { font-family: system-ui, -apple-system, 'Segoe UI', sans-serif; }
.background { fill: var(--background); }
.title { fill: var(--text); font-size: 14px; font-weight: 600; }
.label { fill: var(--muted); font-size: 11px; }
${chartStyle}`;

/** The text of the file; undefined where no series has a point. */
export function svgFile(title: string, content: ChartContent): string | undefined {
  const chart = drawing(content);
  if (!chart) return undefined;
  const legend = legendOf(content);
  const height = HEAD + HEIGHT + legend.height + MARGIN;
  return html`<svg
    xmlns="http://www.w3.org/2000/svg"
    viewBox="0 0 ${WIDTH} ${height}"
    width="${WIDTH}"
    height="${height}"
    role="img"
    aria-label="${title}"
  >
    <style>
      ${new Markup(style)}
    </style>
    <rect class="background" width="${WIDTH}" height="${height}" />
    <text class="title" x="${MARGIN}" y="22">${title}</text>
    <text class="label" x="${MARGIN}" y="40">${content.y.label}</text>
    <g transform="translate(0 ${HEAD})">${chart}</g>
    <g transform="translate(${MARGIN} ${HEAD + HEIGHT})">${legend.entries}</g>
  </svg> `.text;
}

/** A key and a label for each series, in rows; one for series of the same label, such as a line and its intervals. */
function legendOf({ series }: ChartContent): { readonly entries: Markup[]; readonly height: number } {
  const labels = new Map(series.toReversed().map((one) => [one.label, one]));
  let [x, row] = [0, 0];
  const entries = [...labels.values()].toReversed().map((one) => {
    const width = KEY + LETTER * one.label.length + 14;
    if (x > 0 && x + width > WIDTH - 2 * MARGIN) [x, row] = [0, row + 1];
    const entry = html`<g transform="translate(${x} ${(row + 1) * LEGEND_ROW - 6})"
      >${key(one)}<text class="label" x="${KEY}" y="8">${one.label}</text></g
    >`;
    x += width;
    return entry;
  });
  return { entries, height: labels.size > 1 ? (row + 1) * LEGEND_ROW : 0 };
}
