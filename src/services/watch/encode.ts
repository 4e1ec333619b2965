/** Events of streams as messages. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  InvChangeSchema,
  WatchEnd,
  type WatchEndedSchema,
  type WatchHeartbeatSchema,
  type WatchInvResponseSchema,
  type WatchMovementsResponseSchema,
  WatchStart,
  type WatchStartedSchema,
} from "../../gen/inventory/v1/watch_pb.ts";
import {
  type End,
  type FoldedChange,
  type FrameEvent,
  type InvEvent,
  type MovementEvent,
  type Start,
} from "../../watch/events.ts";
import type { PagedList } from "../page_token.ts";
import { levelMessage, movementMessage, WIRE_KINDS } from "../query/encode.ts";
import { sharedChanges } from "./shared_bytes.ts";
import { resumeToken } from "./tokens.ts";

const STARTS: Readonly<Record<Start, WatchStart>> = {
  snapshot: WatchStart.SNAPSHOT,
  resumed: WatchStart.RESUMED,
  other_database: WatchStart.OTHER_DATABASE,
  past_gone: WatchStart.PAST_GONE,
  now: WatchStart.NOW,
};
const ENDS: Readonly<Record<End, WatchEnd>> = {
  age: WatchEnd.AGE,
  draining: WatchEnd.DRAINING,
  behind: WatchEnd.BEHIND,
};

/** An event of a stream of levels; `isJson`: its stream is JSON, whose messages share nothing. */
export function invMessage(
  stream: PagedList,
  event: InvEvent,
  isJson: boolean,
): MessageInitShape<typeof WatchInvResponseSchema> {
  return { resumeToken: resumeToken(stream, event.position), event: invEvent(event, isJson) };
}

/** An event of a stream of movements. */
export function movementsMessage(
  stream: PagedList,
  event: MovementEvent,
): MessageInitShape<typeof WatchMovementsResponseSchema> {
  return { resumeToken: resumeToken(stream, event.position), event: movementEvent(event) };
}

function invEvent(
  event: InvEvent,
  isJson: boolean,
): NonNullable<MessageInitShape<typeof WatchInvResponseSchema>["event"]> {
  switch (event.kind) {
    case "snapshot":
      return { case: "snapshot", value: { levels: event.levels.map(levelMessage), complete: event.isComplete } };
    case "changes":
      return {
        case: "changes",
        value: isJson
          ? { changes: event.changes.map(changeMessage) }
          : sharedChanges(event.changes, (each) => create(InvChangeSchema, changeMessage(each))),
      };
    default:
      return frameEvent(event);
  }
}

function movementEvent(
  event: MovementEvent,
): NonNullable<MessageInitShape<typeof WatchMovementsResponseSchema>["event"]> {
  return event.kind === "movements"
    ? { case: "movements", value: { movements: event.rows.map(movementMessage) } }
    : frameEvent(event);
}

function frameEvent(event: FrameEvent) {
  switch (event.kind) {
    case "started": {
      const { start, databaseId } = event;
      const value: MessageInitShape<typeof WatchStartedSchema> = {
        start: STARTS[start],
        databaseId,
        heartbeatMs: event.heartbeatMs,
      };
      return { case: "started" as const, value };
    }
    case "heartbeat": {
      const value: MessageInitShape<typeof WatchHeartbeatSchema> = {};
      return { case: "heartbeat" as const, value };
    }
    case "ended": {
      const value: MessageInitShape<typeof WatchEndedSchema> = { end: ENDS[event.end] };
      return { case: "ended" as const, value };
    }
  }
}

function changeMessage({ change, folded }: FoldedChange): MessageInitShape<typeof InvChangeSchema> {
  const { orderId = "", operationId = "", reason = "", actor = "", kind } = change.movement;
  return { level: levelMessage(change.level), kind: WIRE_KINDS[kind], orderId, operationId, reason, actor, folded };
}
