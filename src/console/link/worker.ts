/// <reference lib="webworker" />
/**
 * The entry of the worker that all tabs of this browser share: one stream for all tabs that call as the same caller.
 * Tabs of other callers get a stream of their own, and hear nothing of one another.
 */
import type { LiveStream } from "./live_stream.ts";
import { openStream } from "./open_stream.ts";
import type { StreamEvent } from "./stream_events.ts";
import type { FromTab } from "./tab_messages.ts";

interface Shared {
  readonly ports: Set<MessagePort>;
  readonly stream: LiveStream;
}

const byCaller = new Map<string, Shared>();

const scope = self as unknown as { onconnect: ((event: MessageEvent) => void) | null };
scope.onconnect = ({ ports: [port] }) => {
  let caller: string | undefined;
  port!.onmessage = ({ data }: MessageEvent<FromTab>) => {
    if (data.kind === "hello") caller = join(data, port!);
    else if (caller === undefined) return;
    else if (data.kind === "look") look(caller, port!);
    else leave(caller, port!);
  };
};

/** Adds a tab to those of its caller, and says how the stream is. */
function join({ credentials }: Extract<FromTab, { kind: "hello" }>, port: MessagePort): string {
  const caller = JSON.stringify(credentials);
  const known = byCaller.get(caller);
  if (known === undefined) {
    const ports = new Set([port]);
    const stream = openStream(credentials, (event) => ports.forEach((each) => each.postMessage(event)));
    byCaller.set(caller, { ports, stream });
  } else known.ports.add(port);
  sayState(caller, port);
  return caller;
}

function look(caller: string, port: MessagePort): void {
  byCaller.get(caller)?.stream.look();
  sayState(caller, port);
}

/** It is the answer that shows a tab that this worker is there. */
function sayState(caller: string, port: MessagePort): void {
  const shared = byCaller.get(caller);
  if (shared !== undefined) port.postMessage({ kind: "state", state: shared.stream.state } satisfies StreamEvent);
}

/** The stream of a caller without tabs ends. */
function leave(caller: string, port: MessagePort): void {
  const shared = byCaller.get(caller);
  shared?.ports.delete(port);
  if (shared?.ports.size !== 0) return;
  shared.stream.close();
  byCaller.delete(caller);
}
