/**
 * One stream for all tabs of a caller without a worker: the tab that gets the lock has it and posts what it says to the
 * others. When that tab goes, the next one gets the lock, and goes on from the token that it heard last.
 */
import type { LiveStream } from "./live_stream.ts";
import { openStream } from "./open_stream.ts";
import type { LinkState, StreamEvent, StreamPart } from "./stream_events.ts";
import type { Credentials } from "./transport.ts";

/** What tabs say to one another. */
type Between =
  | { readonly kind: "event"; readonly event: StreamEvent; readonly resumeToken: string }
  /** A tab has come and wants to know how the stream is. */
  | { readonly kind: "ask" }
  | { readonly kind: "look" };

/** Takes part in the stream of this caller's tabs, or has it. */
export function electStream(credentials: Credentials, emit: (event: StreamEvent) => void): StreamPart {
  const ended = Promise.withResolvers<void>();
  const stopAsking = new AbortController();
  let resumeToken = "";
  let stream: LiveStream | undefined;
  let channel: BroadcastChannel | undefined;
  let state: LinkState | undefined;

  const say = (event: StreamEvent) => {
    channel?.postMessage({ kind: "event", event, resumeToken: stream?.resumeToken ?? "" } satisfies Between);
  };
  const take = (event: StreamEvent) => {
    if (event.kind === "state") {
      if (event.state === state) return;
      state = event.state;
    }
    emit(event);
  };
  const hear = ({ data }: MessageEvent<Between>) => {
    if (data.kind === "event") {
      if (data.resumeToken !== "") resumeToken = data.resumeToken;
      take(data.event);
    } else if (data.kind === "look") stream?.look();
    else if (stream !== undefined) {
      // Of one that was refused nothing comes any more: for whoever comes it is tried anew, and for all who are there.
      if (stream.isOver) stream = open(stream.resumeToken);
      say({ kind: "state", state: stream.state });
    }
  };
  const open = (token: string) =>
    openStream(credentials, (event) => {
      take(event);
      say(event);
    }, token);
  const begin = async () => {
    const name = await nameOf(credentials);
    if (stopAsking.signal.aborted) return;
    channel = new BroadcastChannel(name);
    channel.onmessage = hear;
    channel.postMessage({ kind: "ask" } satisfies Between);
    await navigator.locks.request(name, { signal: stopAsking.signal }, async () => {
      stream = open(resumeToken);
      await ended.promise;
      stream.close();
    });
  };
  // Rejected when it is closed before it has the lock.
  begin().catch(() => {});
  return {
    look() {
      if (stream !== undefined) stream.look();
      else channel?.postMessage({ kind: "look" } satisfies Between);
    },
    close() {
      stopAsking.abort();
      ended.resolve();
      channel?.close();
    },
  };
}

/** The same for tabs of the same caller, and for nobody else; the key itself can't be read from it. */
async function nameOf(credentials: Credentials): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(credentials));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `holdfast.${[...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
