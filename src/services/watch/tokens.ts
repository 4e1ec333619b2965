/** Positions of streams as tokens, and back. Pure. */
import type { Violations } from "../../rpc/errors.ts";
import { isSnapshot, type TransactionSnapshot } from "../../store/transaction_snapshot.ts";
import type { LivePosition, PastPosition, Position } from "../../watch/position.ts";
import { openToken, type PagedList, sealToken } from "../page_token.ts";

/**
 * Longest token: of some 2,000 transactions under way at once. Of a moment with more there is none, and the one before
 * stays good.
 */
export const RESUME_TOKEN_CHARACTERS_MAX = 8192;
const DATABASE_ID = /^\d{1,20}-\d{1,10}$/;

/** [xmin, xmax - xmin, distances of xip from one to the next] */
type SnapshotArray = readonly [number, number, readonly number[]];

/** The token of a position of a stream; "": there is none. */
export function resumeToken(stream: PagedList, position: Position | undefined): string {
  if (position === undefined) return "";
  const { databaseId, snapshot, sinceUs, witness } = position;
  const content = JSON.stringify([
    databaseId,
    arrayOf(snapshot),
    sinceUs,
    witness === undefined ? [] : [witness.goodsId, witness.locationId, witness.version, witness.xid],
    ..."past" in position ? [position.past.after ? arrayOf(position.past.after) : [], position.past.key] : [],
  ]);
  const token = sealToken(stream, content);
  return token.length > RESUME_TOKEN_CHARACTERS_MAX ? "" : token;
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
  const [databaseId, seen, sinceUs, witness, after, key] = content as unknown[];
  const snapshot = snapshotOf(seen);
  if (typeof databaseId !== "string" || !DATABASE_ID.test(databaseId) || snapshot === undefined) return undefined;
  if (!isNumbers([sinceUs]) || !isNumbers(witness) || (witness.length !== 0 && witness.length !== 4)) return undefined;
  const [goodsId = 0, locationId = 0, version = 0, xid = 0] = witness;
  const live: LivePosition = {
    databaseId,
    snapshot,
    sinceUs: sinceUs as number,
    witness: witness.length === 0 ? undefined : { goodsId, locationId, version, xid },
  };
  if (content.length === 4) return live;
  const saw = isNumbers(after) && after.length === 0 ? undefined : snapshotOf(after);
  if (!isNumbers(key) || key.length !== 4 || (saw === undefined && !isNumbers(after))) return undefined;
  const past: PastPosition["past"] = { after: saw, key: key as unknown as PastPosition["past"]["key"] };
  return { ...live, past };
}

function arrayOf({ xmin, xmax, xip }: TransactionSnapshot): SnapshotArray {
  return [xmin, xmax - xmin, xip.map((xid, i) => xid - (xip[i - 1] ?? xmin))];
}

function snapshotOf(array: unknown): TransactionSnapshot | undefined {
  if (!Array.isArray(array) || array.length !== 3) return undefined;
  const [xmin, width, distances] = array as unknown[];
  if (!isNumbers([xmin, width]) || !isNumbers(distances)) return undefined;
  let last = xmin as number;
  const snapshot = {
    xmin: xmin as number,
    xmax: (xmin as number) + (width as number),
    xip: distances.map((distance) => last += distance),
  };
  return isSnapshot(snapshot) ? snapshot : undefined;
}

/** Safe integers from 0 on. */
function isNumbers(values: unknown): values is number[] {
  return Array.isArray(values) && values.every((value) => Number.isSafeInteger(value) && value >= 0);
}
