/** @file The style of a report: light or dark as the reader's system is, and on paper. */
import { palettes } from '../charts/theme.ts';

const colors = (palette: readonly string[]) => palette.map((color, i) => `--c${i}: ${color};`).join(' ');

/** The colours, as variables. */
export const themeStyle = `
:root {
  color-scheme: light dark;
  --background: #ffffff; --text: #24292f; --muted: #57606a; --line: #d0d7de; --soft: #f6f8fa; --good: #116329;
  ${colors(palettes.light)}
}
@media (prefers-color-scheme: dark) {
  :root {
    --background: #181a1f; --text: #d8dee6; --muted: #9aa4b0; --line: #3a414a; --soft: #22262d; --good: #7ee2a8;
    ${colors(palettes.dark)}
  }
}`;

/** The marks of charts. */
export const chartStyle = `
.grid { stroke: var(--line); stroke-width: 1; opacity: 0.6; fill: none; }
.axis, .reference { stroke: var(--muted); stroke-width: 1; fill: none; }
.reference { stroke-dasharray: 4 3; }
.mark { stroke: var(--muted); stroke-width: 1; opacity: 0.45; fill: none; }
.tick { fill: var(--muted); font-size: 10px; }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
.line { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.dashed { stroke-dasharray: 5 4; }
.round-1 { stroke-dasharray: 7 3; }
.round-2 { stroke-dasharray: 2 2; }
.faint { opacity: 0.25; stroke-width: 1; }
${palettes.light.map((_, i) => `.line.c${i}, .bins.c${i} { stroke: var(--c${i}); } .dot.c${i}, .bins.c${i}, .band.c${i} { fill: var(--c${i}); }`).join('\n')}
.band { fill-opacity: 0.18; }
.bins { fill-opacity: 0.28; stroke-width: 1; }`;

export const reportStyle = `${themeStyle}
@media print {
  :root {
    --background: #ffffff; --text: #000000; --muted: #444444; --line: #bbbbbb; --soft: #f4f4f4; --good: #116329;
    ${colors(palettes.light)}
  }
  main { max-width: none; padding: 0; }
  figure, tr, .facts div { break-inside: avoid; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
  details::details-content { content-visibility: visible; height: auto; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--background); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 12px; padding-bottom: 4px; border-bottom: 1px solid var(--line); }
h3 { font-size: 14px; margin: 0; }
p { margin: 0 0 8px; }
.note, .muted { color: var(--muted); font-size: 13px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; margin: 20px 0; }
.facts div { background: var(--soft); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.facts dt { color: var(--muted); font-size: 13px; }
.facts dd { margin: 0; font-size: 21px; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts dd small { display: block; font-size: 13px; font-weight: 400; color: var(--muted); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); gap: 20px; }
figure { margin: 0; border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
figure > svg { display: block; width: 100%; height: auto; margin-top: 6px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; list-style: none; margin: 4px 0 0; padding: 0; font-size: 12px; color: var(--muted); }
.key { width: 16px; height: 8px; margin-right: 6px; vertical-align: middle; }
${chartStyle}
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); padding-bottom: 4px; }
th, td { text-align: left; vertical-align: top; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { color: var(--muted); font-weight: 600; border-bottom-width: 2px; }
tbody th { font-weight: 400; }
.numeric { text-align: right; white-space: nowrap; }
.total td, .total th { font-weight: 600; }
td.best { color: var(--good); font-weight: 600; }
code, pre { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Consolas, "Liberation Mono", monospace; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; margin: 6px 0 12px; }
details { margin: 8px 0; }
summary { cursor: pointer; }
`;
