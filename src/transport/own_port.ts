/**
 * Whether a port still accepts, seen from outside of it. Deno 2.9.3's accept loop ends in silence at its first error,
 * such as no file being left for one moment (EMFILE): the system goes on completing connections for a port on which
 * nobody is ever answered again, and health over old connections stays SERVING. So the process dials its own port now
 * and then.
 */
import net from "node:net";
import type { Log } from "../telemetry/log.ts";

/** Pause between two looks. A look costs nothing where somebody has been accepted since the last. */
const LOOK_EVERY_MS = 5_000;
/** A dial that nobody has answered by then is silent. */
const DIAL_MS_MAX = 2_000;
/** So many looks in a row that find the port deaf are believed. */
const DEAF_LOOKS = 2;
/**
 * Dials in one look for each process that shares the port: the chance that none of them reaches this one is e^-8. So
 * many go out at once, too.
 */
const DIALS_PER_SHARER = 8;

/**
 * A request that every server refuses before it is anybody's call, or each knock at a server that asks for credentials
 * would be counted and logged as a caller without them. Cleartext: a TLS port answers it with an alert.
 */
const KNOCK = "HEAD / HTTP/1.1\r\nhost: localhost\r\nexpect: no-answer\r\nconnection: close\r\n\r\n";

/**
 * What came of a dial. `answered`: by this process or another that shares the port. `silent`: connected and not
 * answered, or refused. `unknown`: this process could not even dial.
 */
export type Dialled = "answered" | "silent" | "unknown";

/** What the watch is given. */
export interface OwnPortOptions {
  /** Processes that share the port, this one included. */
  readonly sharers: number;
  /** Connections that this process has accepted from its start on. */
  readonly accepted: () => number;
  readonly dial: () => Promise<Dialled>;
  /** Called when the port is deaf. Rejects where nothing can be done about it. */
  readonly listenAnew: () => Promise<void>;
  /** Called, once, where {@link listenAnew} has rejected; the watch has ended. */
  readonly givenUp: (error: unknown) => void;
  readonly log: Log;
  /** Instead of 5 s. */
  readonly lookEveryMs?: number | undefined;
}

/** Looks until the function is called that it returns. */
export function watchOwnPort(options: OwnPortOptions): () => void {
  const { listenAnew, givenUp, log, lookEveryMs = LOOK_EVERY_MS } = options;
  let isOver = false;
  let deafLooks = 0;
  let heard = options.accepted();
  let timer = setTimeout(lookAgain, lookEveryMs);
  Deno.unrefTimer(timer as unknown as number);

  return () => {
    isOver = true;
    clearTimeout(timer);
  };

  async function lookAgain(): Promise<void> {
    const isDeaf = await looksDeaf(options, heard);
    if (isOver) return;
    deafLooks = isDeaf ? deafLooks + 1 : 0;
    heard = options.accepted();
    if (deafLooks >= DEAF_LOOKS) {
      deafLooks = 0;
      try {
        await listenAnew();
        log.error({}, "the port accepted nobody any more; listening anew");
      } catch (error) {
        isOver = true;
        return givenUp(error);
      }
    }
    timer = setTimeout(lookAgain, lookEveryMs);
    Deno.unrefTimer(timer as unknown as number);
  }
}

/**
 * Whether nobody was accepted since so many had been `heard`, though somebody dialled and got no answer. Where
 * processes share the port the system chooses who of them is dialled, so that it takes some dials to reach this one.
 */
async function looksDeaf({ sharers, accepted, dial }: OwnPortOptions, heard: number): Promise<boolean> {
  const isShared = sharers > 1;
  const dials = isShared ? DIALS_PER_SHARER * sharers : 1;
  let silent = 0;
  for (let count = 0; count < dials && accepted() === heard; count += DIALS_PER_SHARER) {
    const dialled = await Promise.all(Array.from({ length: isShared ? DIALS_PER_SHARER : 1 }, () => dial()));
    if (dialled.includes("unknown")) return false;
    silent += dialled.filter((one) => one === "silent").length;
  }
  return silent > 0 && accepted() === heard;
}

/** Dials and knocks once. */
export function dialPort(host: string, port: number): Promise<Dialled> {
  const { promise, resolve } = Promise.withResolvers<Dialled>();
  let socket: net.Socket;
  const end = (dialled: Dialled) => {
    clearTimeout(limit);
    socket?.destroy();
    resolve(dialled);
  };
  const limit = setTimeout(() => end("silent"), DIAL_MS_MAX);
  try {
    socket = net.connect({ host, port });
    socket.once("connect", () => socket.write(KNOCK));
    socket.once("data", () => end("answered"));
    socket.once("close", () => end("answered"));
    socket.on("error", (error: Error & { code?: string }) => {
      if (error.code === "ECONNREFUSED") end("silent");
      else if (error.code !== "ECONNRESET" && error.code !== "EPIPE") end("unknown");
    });
  } catch {
    end("unknown");
  }
  return promise;
}
