/** @file The settings of an experiment file as an outline, with their values. */
import type { Node } from 'jsonc-parser';
import { SymbolKind, type DocumentSymbol } from 'vscode-languageserver/node';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';
import { layerAt } from '../readCompression.ts';

export function symbols(document: ExperimentDocument): DocumentSymbol[] {
  const { root } = document.json;
  return root ? symbolsIn(root, [], document) : [];
}

function symbolsIn(object: Node, path: SettingPath, document: ExperimentDocument): DocumentSymbol[] {
  if (object.type === 'array')
    return (object.children ?? []).flatMap((entry, i): DocumentSymbol[] => {
      const inner = [...path, i];
      const range = document.rangeOf({ start: entry.offset, end: entry.offset + entry.length });
      const children = symbolsIn(entry, inner, document);
      return entry.type === 'object'
        ? [{ name: `[${i}]`, detail: detail(entry), kind: kinds.object, range, selectionRange: range, children }]
        : [];
    });
  if (object.type !== 'object') return [];
  return (object.children ?? []).flatMap((property): DocumentSymbol[] => {
    const [key, value] = property.children ?? [];
    const name = key.value as string;
    // An outline shows no symbol without a name.
    if (name === '' || !value) return [];
    const inner = [...path, name];
    return [
      {
        name,
        detail: detail(value),
        kind: layerAt(inner)?.inner.length === 0 ? SymbolKind.Class : kinds[value.type],
        range: document.rangeOf({ start: property.offset, end: property.offset + property.length }),
        selectionRange: document.rangeOf({ start: key.offset, end: key.offset + key.length }),
        children: symbolsIn(value, inner, document),
      },
    ];
  });
}

const kinds: Record<Node['type'], SymbolKind> = {
  object: SymbolKind.Object,
  array: SymbolKind.Array,
  property: SymbolKind.Property,
  string: SymbolKind.String,
  number: SymbolKind.Number,
  boolean: SymbolKind.Boolean,
  null: SymbolKind.Null,
};

const LONGEST = 60;

/** What is in an object without a further object: `adam, learningRate 0.001`. */
function detail(value: Node): string {
  if (value.type === 'object') {
    const parts = (value.children ?? []).flatMap(({ children }) => {
      const [key, inner] = children ?? [];
      if (!inner || inner.children) return [];
      const text = String(inner.value);
      return key.value === 'type' || key.value === 'method' ? [text] : [`${key.value as string} ${text}`];
    });
    return shortened(parts.join(', '));
  }
  return value.children ? '' : shortened(String(value.value));
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}
