/** @file Icons as inline SVG in the colour of the text, drawn on VS Code's grid of 16 pixels. */

const paths = {
  pause: 'M4.5 3v10M5.5 3v10M10.5 3v10M11.5 3v10',
  continue: 'M5 3.2v9.6l7.5-4.8z',
  stop: 'M4 4h8v8H4z',
  rerun: 'M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3',
  resume: 'M3.5 3v10M6.5 3.2v9.6l7-4.8z',
  observe: 'M1.5 8S4 3.7 8 3.7 14.5 8 14.5 8 12 12.3 8 12.3 1.5 8 1.5 8zM8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4z',
  more: 'M3.5 7.5h1v1h-1zM7.5 7.5h1v1h-1zM11.5 7.5h1v1h-1z',
  finished: 'M3 8.5l3.2 3.2L13 4.8',
  failed: 'M4 4l8 8M12 4l-8 8',
  stopped: 'M5 5h6v6H5z',
  running: 'M8 2.5a5.5 5.5 0 1 1-5.5 5.5',
  queued: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3.2l2 1.3',
  interrupted: 'M8 2.2l6.2 11.3H1.8zM8 6.5v3.2M8 11.2v.6',
  file: 'M4 2h5.5L12.5 5v9H4zM9 2v3.5h3.5',
  log: 'M3 4h10M3 7h10M3 10h7M3 13h5',
  export: 'M8 10V2.5M5 5.5l3-3 3 3M3 8.5V13h10V8.5',
  latency: 'M8 4.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM8 6.7V9l1.6 1M6.3 2h3.4M8 2v2.5',
  folder: 'M2 4h4l1.5 1.5H14V13H2z',
  expand: 'M4 6.5l4 4 4-4',
  reset: 'M6 2.5H2.5V6M10 2.5h3.5V6M6 13.5H2.5V10M10 13.5h3.5V10',
  previous: 'M10 3.5L5.5 8l4.5 4.5',
  next: 'M6 3.5L10.5 8 6 12.5',
  pin: 'M5.5 2.5h5M6.5 2.5v4L4.5 9.5h7l-2-3v-4M8 9.5v4',
  close: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
} as const;

export type IconName = keyof typeof paths;

const SVG = 'http://www.w3.org/2000/svg';

/** Without a meaning of its own to a screen reader: say it beside the icon. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.classList.add('icon', `icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', paths[name]);
  svg.append(path);
  return svg;
}
