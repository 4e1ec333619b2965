/**
 * One stream for all tabs of a browser that call as the same caller. Tabs of other callers get a stream of their own,
 * and hear nothing of one another. Knows no worker: what it is made of is passed in.
 */
import type { LiveStream } from "./live_stream.ts";
import type { StreamEvent } from "./stream_events.ts";
import type { Credentials } from "./transport.ts";

/** As much of a stream as is asked. */
export type SharedStream = Pick<LiveStream, "state" | "isOver" | "look" | "close">;

/** Where a tab hears. */
export type TabPort = Pick<MessagePort, "postMessage">;

interface Shared {
  readonly ports: Set<TabPort>;
  readonly stream: SharedStream;
}

/** See above. */
export class SharedStreams {
  readonly #byCaller = new Map<string, Shared>();

  constructor(private readonly open: (credentials: Credentials, emit: (event: StreamEvent) => void) => SharedStream) {}

  /** Adds a tab to those of its caller, and says how the stream is. @returns what the caller is called here */
  join(credentials: Credentials, port: TabPort): string {
    const caller = JSON.stringify(credentials);
    const known = this.#byCaller.get(caller);
    const ports = known?.ports ?? new Set();
    ports.add(port);
    // Of one that was refused nothing comes any more: for whoever comes it is tried anew, and for all who are there.
    if (known === undefined || known.stream.isOver) {
      const stream = this.open(credentials, (event) => ports.forEach((each) => each.postMessage(event)));
      this.#byCaller.set(caller, { ports, stream });
    }
    this.#sayState(caller, port);
    return caller;
  }

  /** Somebody looks at a tab again. */
  look(caller: string, port: TabPort): void {
    this.#byCaller.get(caller)?.stream.look();
    this.#sayState(caller, port);
  }

  /** A tab goes. The stream of a caller without tabs ends. */
  leave(caller: string, port: TabPort): void {
    const shared = this.#byCaller.get(caller);
    shared?.ports.delete(port);
    if (shared?.ports.size !== 0) return;
    shared.stream.close();
    this.#byCaller.delete(caller);
  }

  /** It is the answer that shows a tab that it is heard. */
  #sayState(caller: string, port: TabPort): void {
    const shared = this.#byCaller.get(caller);
    if (shared !== undefined) port.postMessage({ kind: "state", state: shared.stream.state } satisfies StreamEvent);
  }
}
