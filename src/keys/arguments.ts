/** What `deno task keys` is asked for. Pure. */
import { parseArgs } from "node:util";
import { isName, NAME_CHARACTERS_MAX } from "../auth/identity.ts";
import { isKeyId } from "../auth/keys/key_text.ts";
import { isRight, type Right, RIGHTS } from "../auth/rights.ts";
import type { NewKey } from "../store/statements/keys.ts";

/** Of an expiry in days. */
const DAYS_MAX = 3650;
const DAY_CHARACTERS = "2027-01-31".length;
const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/;

/** How it is called. */
export const USAGE =
  `Usage: deno task keys add NAME --rights RIGHT[,RIGHT] [--expires 90d | 2027-01-31 | 2027-01-31T12:00Z]
       deno task keys list
       deno task keys revoke ID
Rights: ${RIGHTS.join(", ")}. NAME is the actor of what is written with the key.`;

/** What to do. */
export type KeyCommand =
  | {
    readonly verb: "add";
    readonly name: string;
    readonly rights: readonly Right[];
    readonly expires: NewKey["expires"];
  }
  | { readonly verb: "list" }
  | { readonly verb: "revoke"; readonly id: string };

/** Is not called as it should be; the message says what was expected. */
export class UsageError extends Error {}

/** Reads the arguments. @throws UsageError @param nowMs of `Date.now()` */
export function parseCommand(args: readonly string[], nowMs: number): KeyCommand {
  const { values, positionals: [verb, what, ...more] } = parsed(args);
  if (more.length > 0) throw new UsageError(`expected no more than one name or id, got ${more.length + 1}`);
  if (verb !== "add" && (values.rights !== undefined || values.expires !== undefined)) {
    throw new UsageError("--rights and --expires are of add only");
  }
  switch (verb) {
    case "add":
      return { verb, name: nameOf(what), rights: rightsOf(values.rights), expires: expiryOf(values.expires, nowMs) };
    case "list":
      if (what !== undefined) throw new UsageError("list takes nothing");
      return { verb };
    case "revoke":
      if (what === undefined || !isKeyId(what)) {
        throw new UsageError("revoke expects the id of a key: the 12 characters behind hf_, as list shows them");
      }
      return { verb, id: what };
    default:
      throw new UsageError("expected add, list or revoke");
  }
}

function parsed(args: readonly string[]) {
  try {
    const options = { rights: { type: "string" }, expires: { type: "string" } } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function nameOf(text: string | undefined): string {
  if (text !== undefined && isName(text)) return text;
  throw new UsageError(
    `add expects a name of 1 to ${NAME_CHARACTERS_MAX} characters of printable ASCII without a comma`,
  );
}

function rightsOf(text: string | undefined): Right[] {
  const rights = [...new Set((text ?? "").split(","))].filter(isRight);
  if (text === undefined || rights.length !== text.split(",").length) {
    throw new UsageError(`--rights expects one or more of ${RIGHTS.join(", ")} between commas, each once`);
  }
  return rights;
}

function expiryOf(text: string | undefined, nowMs: number): NewKey["expires"] {
  if (text === undefined) return undefined;
  const days = /^(\d{1,4})d$/.exec(text)?.[1];
  if (days !== undefined && Number(days) >= 1 && Number(days) <= DAYS_MAX) return { inDays: Number(days) };
  const atMs = DATE.test(text) ? Date.parse(text) : NaN;
  const at = atMs > nowMs ? new Date(atMs).toISOString() : "";
  // A day that its month has not would be one of the next.
  if (at !== "" && at.startsWith(text.slice(0, DAY_CHARACTERS))) return { at };
  throw new UsageError(
    `--expires expects 1d to ${DAYS_MAX}d, or a time to come such as 2027-01-31 or 2027-01-31T12:00Z, in UTC`,
  );
}
