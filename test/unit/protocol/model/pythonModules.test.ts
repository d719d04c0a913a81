import { describe, expect, it } from 'vitest';
import { shortest } from '../../../until.ts';
import { locateModules, modelClasses } from '../../../../server/protocol/model/pythonModules.ts';

/** What each layer's place is in the text: the name that is assigned to, and the call. */
function places(text: string, layers: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    Array.from(locateModules(text, layers), ([layer, { start, end, kind, name }]) => {
      expect(text.slice(start).startsWith(kind)).toBe(true);
      if (name) expect(text.slice(name.start, name.end)).toBe(name.text);
      return [layer, `${name?.text ?? ''}: ${text.slice(start, end).replace(/\s+/g, ' ')}`];
    }),
  );
}

const net = (body: string, rest = '') => `import torch
from torch import nn

class Net(nn.Module):
    """Has self.fake = nn.Linear(1, 1) in its text."""

    def __init__(self):
        super().__init__()
${body.replace(/^(?=.)/gm, '        ')}

    def forward(self, x):
        # self.comment = nn.Linear(1, 1)
        return self.fc1(x)

${rest}`;

describe('the modules of PyTorch code', () => {
  it('stand where they are assigned to self', () => {
    const text = net(`self.fc1 = nn.Linear(784, 300)
self.fc2: nn.Module = torch.nn.Linear(
    300, # "inputs)"
    10, bias=False,
)
self.size = 3
self.act = torch.relu
self.add_module("out", Linear(3, 4))`);
    expect(places(text, ['fc1', 'fc2', 'out'])).toEqual({
      fc1: 'fc1: nn.Linear(784, 300)',
      fc2: 'fc2: torch.nn.Linear( 300, # "inputs)" 10, bias=False, )',
      out: 'out: Linear(3, 4)',
    });
    expect(places(text, ['fake', 'comment', 'size', 'act'])).toEqual({});
  });

  it.each([
    ['nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Linear(3, 4))', ['f.0', 'f.2']],
    ['nn.Sequential(*[nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Linear(3, 4)])', ['f.0', 'f.2']],
    ['nn.ModuleList([nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Linear(3, 4)])', ['f.0', 'f.2']],
    ['nn.ModuleDict({"a": nn.Conv2d(1, 2, 3), \'b\': nn.Linear(3, 4)})', ['f.a', 'f.b']],
    ['nn.Sequential(OrderedDict([("a", nn.Conv2d(1, 2, 3)), ("b", nn.Linear(3, 4))]))', ['f.a', 'f.b']],
    ['nn.Sequential(collections.OrderedDict({"a": nn.Conv2d(1, 2, 3), "b": nn.Linear(3, 4)}))', ['f.a', 'f.b']],
    ['nn.Sequential(\n    nn.Sequential(nn.Conv2d(1, 2, 3)),\n    nn.Linear(3, 4),\n)', ['f.0.0', 'f.1']],
  ])('are followed into %s', (made, layers) => {
    const text = net(`self.f = ${made}`);
    expect(places(text, layers)).toEqual({ [layers[0]]: ': nn.Conv2d(1, 2, 3)', [layers[1]]: ': nn.Linear(3, 4)' });
  });

  const block = `class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3)

class Deep(Block):
    def __init__(self):
        super().__init__(3)
        self.own = nn.Linear(2, 2)
`;

  it.each([
    ['Block(3)', 'f.conv1'],
    ['nn.Sequential(Block(3), Block(4))', 'f.1.conv1'],
    ['nn.Sequential(*[Block(3) for _ in range(4)])', 'f.3.conv1'],
    ['nn.ModuleList([Block(i) for i in range(4)])', 'f.0.conv1'],
    ['nn.ModuleList(Block(i) for i in range(4))', 'f.2.conv1'],
    ['self._make_layer(Block, 64, blocks=2)', 'f.7.conv1'],
  ])('are followed into a class of the file: %s', (made, layer) => {
    const text = net(`self.f = ${made}`, block);
    expect(places(text, [layer])).toEqual({ [layer]: 'conv1: nn.Conv2d(width, width, 3)' });
  });

  it('are left out where a name is assigned in several places', () => {
    const text = net(
      'if wide:\n    self.fc1 = nn.Linear(1, 2)\nelse:\n    self.fc1 = nn.Linear(1, 1)\nself.fc2 = nn.Linear(2, 2)',
    );
    expect(places(text, ['fc1', 'fc2'])).toEqual({ fc2: 'fc2: nn.Linear(2, 2)' });
  });

  it('are those of the class that has most of the layers, without the names of wrappers', () => {
    const text = `${net('self.fc1 = nn.Linear(1, 2)')}\nclass Big(nn.Module):\n  def __init__(self):\n    self.fc1 = nn.Linear(5, 5)\n    self.fc2 = nn.Linear(5, 6)\n`;
    expect(places(text, ['fc1'])).toEqual({ fc1: 'fc1: nn.Linear(1, 2)' });
    expect(places(text, ['module.fc1', 'module.fc2'])).toEqual({
      'module.fc1': 'fc1: nn.Linear(5, 5)',
      'module.fc2': 'fc2: nn.Linear(5, 6)',
    });
  });

  it('are nothing in the code of another model', () => {
    expect(places(net('self.fc1 = nn.Linear(1, 2)'), ['fc1', 'conv1', 'conv2'])).toEqual({});
    expect(places('class Net:\n    def __init__(self):\n        self.fc1 = nn.Linear(1, 2)\n', ['fc1'])).toEqual({});
    expect(places('', ['fc1'])).toEqual({});
  });

  it.each([
    'class Net(nn.Module)',
    'class Net(nn.Module):',
    'class Net(nn.Module):\n def __init__(self):\n  self.a = nn.Linear(',
    '"""',
    "'",
  ])('are nothing in half a text: %j', (text) => {
    expect(places(text, ['a'])).toEqual({});
  });

  it('that no other class contains are the models of a file', () => {
    expect(modelClasses(net('self.f = nn.Sequential(Block(3))', block))).toEqual(['Net', 'Deep']);
    expect(modelClasses('class A(pl.LightningModule):\n  pass\nclass B(dict):\n  pass\n')).toEqual(['A']);
  });

  it('are found in a text of a megabyte while somebody types', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `self.fc${i} = nn.Linear(${i}, 3)  # ${'x'.repeat(10)}`);
    const text = net(lines.join('\n').slice(0, 700_000));
    const took = await shortest(1000, () => {
      const start = process.cpuUsage().user;
      expect(Object.keys(places(text, ['fc1', 'fc9999']))).toHaveLength(2);
      return (process.cpuUsage().user - start) / 1000;
    });
    expect(took).toBeLessThan(1000);
    const hostile = [
      '('.repeat(100_000),
      `self.a = ${'nn.Sequential('.repeat(20_000)}`,
      'class A(nn.Module):\n'.repeat(5000),
      'self.a = nn.Linear(\n'.repeat(20_000),
    ];
    const tookHostile = await shortest(3000, () => {
      const start = process.cpuUsage().user;
      for (const each of hostile) expect(places(net(each), ['a'])).toEqual({});
      return (process.cpuUsage().user - start) / 1000;
    });
    expect(tookHostile).toBeLessThan(3000);
  });
});
