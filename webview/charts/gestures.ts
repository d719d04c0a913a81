/**
 * @file Pointer and keyboard on a chart. The wheel scrolls the page, as it does everywhere, and zooms with Ctrl or Cmd held, or
 * once the chart has been clicked. Dragging selects what to zoom to, with Shift it pans; a double click or Escape resets.
 */

export interface Gestures {
  /** Pixels from the left edge of the canvas; undefined: the pointer has left. */
  hover(pixel: number | undefined): void;
  zoomAt(pixel: number, factor: number): void;
  /** While the pointer is down; undefined: nothing is selected any more. */
  selecting(range: readonly [number, number] | undefined): void;
  select(from: number, to: number): void;
  /** By this part of what is seen. */
  pan(fraction: number): void;
  /** Gives whether there was something to reset. */
  reset(): boolean;
  /** Moves the keyboard's cursor by points; ±Infinity: to the first or last. */
  moveCursor(by: number): void;
  zoomAtCursor(factor: number): void;
}

/** @param width of the plotted area in pixels */
export function listenToGestures(target: HTMLElement, width: () => number, gestures: Gestures): void {
  let down: { readonly at: number; last: number; readonly pans: boolean; moved: boolean } | undefined;
  const pixelOf = (event: MouseEvent): number => event.clientX - target.getBoundingClientRect().left;

  target.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    const at = pixelOf(event);
    down = { at, last: at, pans: event.shiftKey || event.pointerType === 'touch', moved: false };
    target.setPointerCapture(event.pointerId);
  });
  target.addEventListener('pointermove', (event) => {
    const at = pixelOf(event);
    gestures.hover(at);
    if (!down) return;
    // Less than this is a click by an unsteady hand.
    if (Math.abs(at - down.at) > 4) down.moved = true;
    if (!down.moved) return;
    if (down.pans) gestures.pan((down.last - at) / width());
    else gestures.selecting([Math.min(down.at, at), Math.max(down.at, at)]);
    down.last = at;
  });
  target.addEventListener('pointerup', (event) => {
    const ended = down;
    down = undefined;
    gestures.selecting(undefined);
    const at = pixelOf(event);
    if (ended?.moved && !ended.pans) gestures.select(Math.min(ended.at, at), Math.max(ended.at, at));
  });
  target.addEventListener('pointercancel', () => {
    down = undefined;
    gestures.selecting(undefined);
  });
  target.addEventListener('pointerleave', () => {
    if (!down) gestures.hover(undefined);
  });
  target.addEventListener('dblclick', () => gestures.reset());
  target.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== target) return;
      if (event.deltaY === 0) return;
      event.preventDefault();
      gestures.zoomAt(pixelOf(event), Math.exp(Math.max(-50, Math.min(50, event.deltaY)) * 0.004));
    },
    { passive: false },
  );
  target.addEventListener('blur', () => gestures.hover(undefined));
  target.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    switch (event.key) {
      case 'ArrowLeft':
        gestures.moveCursor(event.shiftKey ? -10 : -1);
        break;
      case 'ArrowRight':
        gestures.moveCursor(event.shiftKey ? 10 : 1);
        break;
      case 'Home':
        gestures.moveCursor(-Infinity);
        break;
      case 'End':
        gestures.moveCursor(Infinity);
        break;
      case '+':
      case '=':
        gestures.zoomAtCursor(0.5);
        break;
      case '-':
        gestures.zoomAtCursor(2);
        break;
      case '0':
        gestures.reset();
        break;
      case 'Escape':
        if (down) {
          down = undefined;
          gestures.selecting(undefined);
        } else if (!gestures.reset()) return;
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
}
