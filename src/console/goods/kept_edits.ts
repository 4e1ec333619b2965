/**
 * Edits outlive the page that they were typed on, and the key that they were typed with: whoever looks at one goods in
 * between, or signs in again after the key has expired, finds them again.
 */
import type { WhoAmIResponse } from "../../gen/inventory/v1/system_pb.ts";
import type { EditSession } from "./edit_session.ts";
import type { EditKind } from "./edit_sheet.ts";

/** The edits of one reader. */
export type KeptSessions = Map<EditKind, EditSession>;

let kept: { readonly reader: string; readonly sessions: KeptSessions } | undefined;

/** The edits of whoever calls; those of the reader before are given up. */
export function keptSessions(caller: Pick<WhoAmIResponse, "kind" | "name"> | undefined): KeptSessions {
  const reader = JSON.stringify([caller?.kind, caller?.name]);
  if (kept?.reader !== reader) kept = { reader, sessions: new Map() };
  return kept.sessions;
}

/** Whether anything was typed that is not applied, on whichever page its reader is now. */
export function hasUnsaved(): boolean {
  return [...kept?.sessions.values() ?? []].some(({ sheet }) =>
    [...sheet.all()].some(({ state }) => state !== "applied")
  );
}
