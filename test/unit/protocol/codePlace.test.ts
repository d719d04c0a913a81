import { expect, test } from 'vitest';
import { codePlaceIn, withCodePlace, withoutCodePlace } from '../../../server/protocol/codePlace.ts';

test.each([
  ['/home/user/my models/net.ts', 'a path with a space'],
  ['C:\\models\\net.ts', 'a path of Windows'],
])('a place that was written is found again: %s', (file) => {
  const place = { file, line: 6, column: 9 };
  const message = withCodePlace(`createModel() of ${file} failed: no units`, place);
  expect(codePlaceIn(message)).toEqual(place);
  expect(withoutCodePlace(message, place)).toBe('createModel() of net.ts failed: no units');
});

test.each(['', 'It took (a:1:2) long.', 'See (/home/user/net.ts).'])('no place is found in %j', (message) => {
  expect(codePlaceIn(message)).toBeUndefined();
});
