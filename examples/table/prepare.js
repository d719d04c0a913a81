/**
 * Writes tic-tac-toe.csv: every board at which a game of tic-tac-toe can end where x begins, a row each, and who has won. These are
 * the 958 boards of the data set "Tic-Tac-Toe Endgame" (D. W. Aha 1991, UCI Machine Learning Repository), here told from the rules of
 * the game, and with draws as a class of their own.
 *
 *   node examples/table/prepare.js
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SQUARES = ['top left', 'top', 'top right', 'left', 'middle', 'right', 'bottom left', 'bottom', 'bottom right'];
const LINES = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 8],
  [0, 4, 8],
  [2, 4, 6]
];

/** @returns {string} CSV, the boards in the order of their squares */
export function endgames() {
  /** By board, `xo.xo.x..` as nine letters, who has won. @type {Map<string, string>} */
  const boards = new Map();
  play('.........', 'x', boards);
  const rows = [...boards].sort(([a], [b]) => (a < b ? -1 : 1));
  const name = { x: 'x', o: 'o', '.': 'blank' };
  const lines = rows.map(([board, outcome]) => [...[...board].map((square) => name[square]), outcome].join(','));
  return `${[...SQUARES, 'outcome'].join(',')}\n${lines.join('\n')}\n`;
}

/**
 * @param {string} board
 * @param {'x' | 'o'} player whose turn it is
 * @param {Map<string, string>} ends to which the boards are added that games end at
 */
function play(board, player, ends, seen = new Set()) {
  if (seen.has(board)) return;
  seen.add(board);
  const other = player === 'x' ? 'o' : 'x';
  if (LINES.some((line) => line.every((square) => board[square] === other))) ends.set(board, `${other} wins`);
  else if (!board.includes('.')) ends.set(board, 'draw');
  else
    for (let square = 0; square < board.length; square++)
      if (board[square] === '.') play(board.slice(0, square) + player + board.slice(square + 1), other, ends, seen);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(new URL('tic-tac-toe.csv', import.meta.url), endgames());
