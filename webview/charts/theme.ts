/** @file Colours of charts: those of VS Code's theme, and a palette that the colour-blind can tell apart. */

export interface ChartTheme {
  readonly kind: 'light' | 'dark' | 'high-contrast' | 'high-contrast-light';
  readonly background: string;
  readonly text: string;
  /** Labels of ticks. */
  readonly mutedText: string;
  readonly grid: string;
  readonly axis: string;
  readonly mark: string;
  readonly focus: string;
  readonly font: string;
  readonly palette: readonly string[];
}

/**
 * Okabe and Ito's colours ("Color Universal Design", 2008), lightened or darkened so that each has a contrast of 3:1 with the
 * editor's usual background. Their order keeps neighbours far apart also for the colour-blind.
 */
export const palettes = {
  dark: ['#56b4e9', '#e69f00', '#2fc99a', '#e0a0c6', '#f0e442', '#f07a3c', '#8ea2ff', '#c2c2c2'],
  light: ['#0072b2', '#b85c00', '#008562', '#a8548a', '#857700', '#c2410c', '#4a56c8', '#5f5f5f'],
} as const;

/** Dash patterns in high contrast: series differ there not by colour alone. In CSS pixels. */
const dashPatterns: readonly (readonly number[])[] = [
  [],
  [7, 3],
  [2, 2],
  [9, 3, 2, 3],
  [12, 4],
  [4, 4],
  [1, 3],
  [9, 3, 2, 3, 2, 3],
];

export function seriesColor(theme: ChartTheme, slot: number): string {
  return theme.palette[slot % theme.palette.length];
}

export function isHighContrast({ kind }: Pick<ChartTheme, 'kind'>): boolean {
  return kind === 'high-contrast' || kind === 'high-contrast-light';
}

export function seriesDash(theme: ChartTheme, slot: number, dashed = false): number[] {
  if (isHighContrast(theme)) return [...dashPatterns[slot % dashPatterns.length]];
  // Where there are more series than colours, the next round of them is dashed.
  return dashed ? [5, 4] : [...dashPatterns[Math.floor(slot / theme.palette.length) % dashPatterns.length]];
}

/** Reads the theme that the page has now. */
export function readTheme(): ChartTheme {
  const style = getComputedStyle(document.body);
  const read = (fallback: string, ...names: string[]): string => {
    for (const name of names) {
      const value = style.getPropertyValue(name).trim();
      if (value !== '') return value;
    }
    return fallback;
  };
  const classes = document.body.classList;
  const kind = classes.contains('vscode-high-contrast-light')
    ? 'high-contrast-light'
    : classes.contains('vscode-high-contrast')
      ? 'high-contrast'
      : classes.contains('vscode-light')
        ? 'light'
        : 'dark';
  const light = kind === 'light' || kind === 'high-contrast-light';
  const contrast = isHighContrast({ kind });
  const text = read(light ? '#3b3b3b' : '#cccccc', '--vscode-foreground');
  return {
    kind,
    background: read(light ? '#ffffff' : '#1f1f1f', '--vscode-editor-background'),
    text,
    mutedText: contrast ? text : read(text, '--vscode-descriptionForeground'),
    grid: contrast ? withAlpha(text, 0.35) : withAlpha(text, 0.1),
    axis: contrast ? text : withAlpha(text, 0.3),
    mark: withAlpha(text, contrast ? 0.6 : 0.22),
    focus: read('#007fd4', '--vscode-focusBorder'),
    font: read('sans-serif', '--vscode-font-family'),
    palette: light ? palettes.light : palettes.dark,
  };
}

/** The colour with an opacity of `alpha`, whatever its CSS form; of one that is translucent already, its own part of it. */
export function withAlpha(color: string, alpha: number): string {
  const known = opaque.get(color) ?? resolve(color);
  opaque.set(color, known);
  const [red, green, blue, own] = known;
  return `rgba(${red}, ${green}, ${blue}, ${own * alpha})`;
}

const opaque = new Map<string, readonly number[]>();
let resolver: OffscreenCanvasRenderingContext2D | undefined;

/** Red, green, blue up to 255 and opacity up to 1, read off a pixel: a canvas knows every form of CSS colours. */
function resolve(color: string): readonly number[] {
  resolver ??= new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!;
  resolver.clearRect(0, 0, 1, 1);
  resolver.fillStyle = color;
  resolver.fillRect(0, 0, 1, 1);
  const [red, green, blue, own] = resolver.getImageData(0, 0, 1, 1).data;
  return [red, green, blue, own / 255];
}

/** Calls back when VS Code changes the theme: it sets a class and custom properties. Gives what ends that. */
export function onThemeChange(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(document.body, { attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(document.documentElement, { attributeFilter: ['style', 'class'] });
  return () => observer.disconnect();
}
