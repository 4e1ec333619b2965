/** The stream of this browser as it really is: over the network, by the clock. */
import { createClient } from "@connectrpc/connect";
import { WatchService } from "../../gen/inventory/v1/watch_pb.ts";
import { LiveStream } from "./live_stream.ts";
import type { StreamEvent } from "./stream_events.ts";
import { type Credentials, transportTo } from "./transport.ts";

/** Begins a stream of all changes for this caller. It runs until it is closed. */
export function openStream(
  credentials: Credentials,
  emit: (event: StreamEvent) => void,
  resumeToken = "",
): LiveStream {
  const watch = createClient(WatchService, transportTo(credentials));
  const stream = new LiveStream({
    // Without a deadline: the server ends it, or its silence does.
    open: (resumeToken, signal) => watch.watchInv({ resumeToken, changesOnly: true }, { signal, timeoutMs: 0 }),
    emit,
    after(ms, then) {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    nowMs: () => performance.now(),
    random: Math.random,
    resumeToken,
  });
  void stream.run();
  return stream;
}
