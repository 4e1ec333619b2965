/**
 * Edits outlive the page that they were typed on, and the key that they were typed with: whoever looks at one goods in
 * between, or signs in again after the key has expired, finds them again.
 */
import type { WhoAmIResponse } from "../../gen/inventory/v1/system_pb.ts";
import type { EditSession } from "./edit_session.ts";
import type { EditKind } from "./edit_sheet.ts";

/** The edits of one reader. */
export type KeptSessions = Map<EditKind, EditSession>;

/** As much of a link as is asked. */
interface CallerLink {
  readonly caller: Pick<WhoAmIResponse, "kind" | "name"> | undefined;
}

/** Whose edits these are: a caller as the server names it; or a link, where it does not say whose that is. */
type Reader = string | CallerLink;

let kept: { readonly reader: Reader; readonly sessions: KeptSessions } | undefined;

/**
 * The edits of whoever calls by this link; those of the reader before are given up. Of callers that the server does not
 * name, as one of an older version, any two may be two people: what is typed is kept for as long as their link is.
 */
export function keptSessions(link: CallerLink): KeptSessions {
  const { caller } = link;
  const reader = caller === undefined ? link : JSON.stringify([caller.kind, caller.name]);
  if (kept?.reader !== reader) kept = { reader, sessions: new Map() };
  return kept.sessions;
}

/** Whether anything was typed that is not applied, on whichever page its reader is now. */
export function hasUnsaved(): boolean {
  return [...kept?.sessions.values() ?? []].some(({ sheet }) =>
    [...sheet.all()].some(({ state }) => state !== "applied")
  );
}
