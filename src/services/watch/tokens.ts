/** Positions of streams as tokens, and back. Pure. */
import { INT32_MAX } from "../../inventory/model.ts";
import type { Violations } from "../../rpc/errors.ts";
import { isSeen, type SeenTransactions } from "../../store/transaction_snapshot.ts";
import type { LivePosition, PastPosition, Position } from "../../watch/position.ts";
import { SEEN_XIDS_MAX } from "../../watch/seen_xids.ts";
import { openToken, type PagedList, sealToken } from "../page_token.ts";

/**
 * Longest token. Of a moment at which very many transactions are under way there is none, and the one before stays
 * good.
 */
export const RESUME_TOKEN_CHARACTERS_MAX = 16_384;
const UTF8 = new TextEncoder();
/** The text of each position that somebody still has. */
const TEXTS = new WeakMap<Position, Uint8Array>();
const DATABASE_ID = /^\d{1,20}-\d{1,10}$/;

/** xmax, xmax - from, and distances of xip and of above from one to the next. */
type SeenArray = readonly [number, number, readonly number[], readonly number[]];

/** The token of a position of a stream; "": there is none. */
export function resumeToken(stream: PagedList, position: Position | undefined): string {
  if (position === undefined) return "";
  const token = sealToken(stream, textOf(position));
  return token.length > RESUME_TOKEN_CHARACTERS_MAX ? "" : token;
}

/** A read of the tailer has one position for all streams. */
function textOf(position: Position): Uint8Array {
  const known = TEXTS.get(position);
  if (known !== undefined) return known;
  const { databaseId, seen, sinceUs, witness } = position;
  const content = JSON.stringify([
    databaseId,
    arrayOf(seen),
    sinceUs,
    witness === undefined ? [] : [witness.goodsId, witness.locationId, witness.version, witness.xid, witness.atUs],
    ..."past" in position ? [position.past.after ? arrayOf(position.past.after) : [], position.past.key] : [],
  ]);
  const text = UTF8.encode(content);
  TEXTS.set(position, text);
  return text;
}

/** The position in a token that a caller sent; undefined, and a violation, where it is none of this stream. */
export function readResumeToken(violations: Violations, token: string, stream: PagedList): Position | undefined {
  const opened = openToken(token, stream, RESUME_TOKEN_CHARACTERS_MAX);
  const wrong = "wrong" in opened ? opened.wrong : undefined;
  const position = "text" in opened ? positionOf(opened.text) : undefined;
  if (position === undefined) {
    const got = wrong ?? "one whose position can't be read";
    violations.add("resume_token", `expected a token that a stream of these filters answered, got ${got}`);
  }
  return position;
}

function positionOf(text: string): Position | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(content) || (content.length !== 4 && content.length !== 6)) return undefined;
  const [databaseId, seenArray, sinceUs, witness, after, key] = content as unknown[];
  const seen = seenOf(seenArray);
  if (typeof databaseId !== "string" || !DATABASE_ID.test(databaseId) || seen === undefined) return undefined;
  if (!isNumbers([sinceUs]) || !isNumbers(witness) || (witness.length !== 0 && witness.length !== 5)) return undefined;
  const [goodsId = 0, locationId = 0, version = 0, xid = 0, atUs = 0] = witness;
  // Whoever makes one up must not have the database refuse a number.
  if (goodsId > INT32_MAX || locationId > INT32_MAX) return undefined;
  const live: LivePosition = {
    databaseId,
    seen,
    sinceUs: sinceUs as number,
    witness: witness.length === 0 ? undefined : { goodsId, locationId, version, xid, atUs },
  };
  if (content.length === 4) return live;
  const saw = isNumbers(after) && after.length === 0 ? undefined : seenOf(after);
  if (!isNumbers(key) || key.length !== 4 || (saw === undefined && !isNumbers(after))) return undefined;
  const past: PastPosition["past"] = { after: saw, key: key as unknown as PastPosition["past"]["key"] };
  return { ...live, past };
}

function arrayOf({ xmax, xip, from, above }: SeenTransactions): SeenArray {
  return [xmax, xmax - from, distancesOf(xip), distancesOf(above)];
}

function seenOf(array: unknown): SeenTransactions | undefined {
  if (!Array.isArray(array) || array.length !== 4) return undefined;
  const [xmax, width, xip, above] = array as unknown[];
  if (!isNumbers([xmax, width]) || !isNumbers(xip) || !isNumbers(above)) return undefined;
  // A longer list is made up: each row of the past would be looked for in all of it.
  if (above.length > SEEN_XIDS_MAX) return undefined;
  const seen = {
    xmax: xmax as number,
    from: (xmax as number) - (width as number),
    xip: numbersOf(xip),
    above: numbersOf(above),
  };
  return isSeen(seen) ? seen : undefined;
}

/** The first number, and what each of the next is more than the one before. */
function distancesOf(numbers: readonly number[]): number[] {
  return numbers.map((number, i) => number - (numbers[i - 1] ?? 0));
}

function numbersOf(distances: readonly number[]): number[] {
  let last = 0;
  return distances.map((distance) => last += distance);
}

/** Safe integers from 0 on. */
function isNumbers(values: unknown): values is number[] {
  return Array.isArray(values) && values.every((value) => Number.isSafeInteger(value) && value >= 0);
}
