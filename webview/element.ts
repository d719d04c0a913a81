/** @file Making DOM elements without HTML text: nothing that a run says can become markup. */

type Child = Node | string | undefined;

/** Attributes by name; `true` is an empty attribute, `false` and undefined are left out. */
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  setAttributes(made, attributes);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? '' : String(value));
  }
}

/** Sets the text only where it differs: a live region speaks again what is set again. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** A long path or name, which may be broken behind its separators. */
export function breakable(name: string): Node[] {
  return name
    .split(/(?<=[./_])/)
    .flatMap((part, i) => [...(i === 0 ? [] : [document.createElement('wbr')]), document.createTextNode(part)]);
}
