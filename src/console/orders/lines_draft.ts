/** The lines of a new order as they are typed, and what they come to. Pure. */
import { type GoodsName, isProblem, type Problem, type Read, readGoods, readWhole } from "../parts/checks.ts";
import { INT32_MAX } from "../parts/written_numbers.ts";

/** One line, as typed. */
export interface LineDraft {
  readonly goods: string;
  readonly location: string;
  readonly num: string;
}

/** An empty one. */
export const EMPTY_LINE: LineDraft = { goods: "", location: "0", num: "1" };
/** Lines of one order at most, as the server has it unless it is set otherwise. */
export const LINES_MAX = 500;

/** What a line asks for. */
export type AskedLine = GoodsName & { readonly locationId: number; readonly num: number };

/** What is wrong with a line, by field. */
export type LineProblems = Partial<Record<keyof LineDraft, Problem>>;

/** All lines as they are asked for, or what is wrong with each; lines that nobody typed in count for nothing. */
export function readLines(drafts: readonly LineDraft[]): Read<AskedLine[]> & { readonly problems: LineProblems[] } {
  const reads = drafts.map(readLine);
  const problems = reads.map(({ problems }) => problems);
  const lines = reads.flatMap(({ line }) => line === undefined ? [] : [line]);
  const wrong = problems.flatMap((line) => Object.values(line))[0];
  if (wrong !== undefined) return { ...wrong, problems };
  if (lines.length === 0) return { problem: "no_lines", problems };
  if (lines.length > LINES_MAX) return { problem: "too_many_lines", max: LINES_MAX, problems };
  return { value: lines, problems };
}

function readLine({ goods, location, num }: LineDraft): { readonly line?: AskedLine; readonly problems: LineProblems } {
  if (isLeft({ goods, location, num })) return { problems: {} };
  const reads = {
    goods: readGoods(goods),
    location: readWhole(location, { min: 0, max: INT32_MAX }),
    num: readWhole(num, { min: 1, max: INT32_MAX }),
  };
  const problems = Object.fromEntries(Object.entries(reads).filter(([, read]) => isProblem<unknown>(read)));
  if (isProblem(reads.goods) || isProblem(reads.location) || isProblem(reads.num)) return { problems };
  return { line: { ...reads.goods.value, locationId: reads.location.value, num: reads.num.value }, problems };
}

/** Whether nobody typed anything in it that says that it is meant. */
function isLeft({ goods, location, num }: LineDraft): boolean {
  const isUntouched = (text: string, usual: string) => text.trim() === "" || text.trim() === usual;
  return goods.trim() === "" && isUntouched(location, EMPTY_LINE.location) && isUntouched(num, EMPTY_LINE.num);
}
