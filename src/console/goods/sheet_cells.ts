/** The cells of a text that was copied out of a sheet or a file: by tabs, else by semicolons or commas; with quotes. */

/** Lines, and characters, that are read of one text. */
export const LINES_MAX = 5000;
export const CHARACTERS_MAX = 1_000_000;

/** One line with its number in the text, from 1 on, and its cells without quotes. */
export interface SheetLine {
  readonly line: number;
  readonly cells: readonly string[];
}

/** Lines that have something in them, and whether there were more than are read. */
export interface SheetCells {
  readonly lines: readonly SheetLine[];
  readonly isCut: boolean;
}

/** Splits a text at one separator; "" leaves each line one cell. A quoted cell may have separators and line ends. */
export function splitSheet(text: string, separator: "\t" | ";" | "," | ""): SheetCells {
  const lines: SheetLine[] = [];
  let cells: string[] = [];
  let cell = "";
  let isQuoted = false;
  let line = 1;
  let begunAt = 1;
  const end = () => {
    cells.push(cell.trim());
    cell = "";
    if (cells.some((one) => one !== "")) lines.push({ line: begunAt, cells });
    cells = [];
    begunAt = line;
  };
  const all = text.slice(0, CHARACTERS_MAX).replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  for (let i = 0; i < all.length && lines.length <= LINES_MAX; i++) {
    const character = all[i]!;
    if (character === "\n") line++;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (all[i + 1] === '"') cell += all[++i];
      else isQuoted = false;
    } else if (character === '"' && cell.trim() === "") [isQuoted, cell] = [true, ""];
    else if (character === "\n") end();
    else if (character === separator) {
      cells.push(cell.trim());
      cell = "";
    } else cell += character;
  }
  end();
  return { lines: lines.slice(0, LINES_MAX), isCut: lines.length > LINES_MAX || text.length > CHARACTERS_MAX };
}
