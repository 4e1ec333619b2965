/**
 * The admin port of one process: a listener of its own, small and bounded, so that whoever looks at the process stands
 * in no line with those who call it, and takes nothing of what these may have.
 */
import { errorFields, type Log } from "../telemetry/log.ts";
import { listen } from "../transport/listener.ts";
import type { ListenerLimits } from "../transport/limits.ts";
import { ownHosts } from "../transport/own_names.ts";
import { textAnswer } from "../transport/own_answer.ts";
import { alivePage, type Pages, pagesHandler } from "./handler.ts";

/** A few scrapers, probes and people, each with a connection or two. Times in ms, sizes in bytes. */
const LIMITS: Partial<ListenerLimits> = {
  // So many files are kept for them: config/open_files.ts.
  connectionsMax: 32,
  connectionsPerAddressMax: 16,
  requestsMax: 32,
  requestsPerAddressMax: 16,
  concurrentStreamsMax: 8,
  pipelinedRequestsMax: 2,
  probesMax: 0,
  requestHeaderMs: 5_000,
  requestBodyMs: 5_000,
  slowBodiesMax: 4,
  slowBodiesPerAddressMax: 4,
  refusedBodyBytesMax: 16 * 1024,
  http1RequestBytesMax: 16 * 1024,
  headerBytesMax: 8 * 1024,
  headerFieldsMax: 50,
  responseMs: 10_000,
  unreadAnswerBytesMax: 4 * 1024 * 1024,
  unreadPerAddressBytesMax: 8 * 1024 * 1024,
  unreadTotalBytesMax: 16 * 1024 * 1024,
};
/** How long whoever is answered when it closes may take. */
const DRAIN_MS_MAX = 500;

const startingPage = () => textAnswer(503, "starting\n");
/** Whoever starts slowly is alive, and is not to be started again for it. */
const STARTING: Pages = { "/livez": alivePage, "/readyz": startingPage, "/metrics": startingPage };

/** Where to listen, and under which names beside addresses and those of loopback. */
export interface AdminOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly log: Log;
}

/** An admin port that listens. */
export interface AdminPort {
  /** Such as `http://127.0.0.1:8081`. */
  readonly url: string;
  /** From now on answers with these; before, every page but `/livez` says that the process starts. */
  show(pages: Pages): void;
  close(): Promise<void>;
}

/**
 * Listens.
 *
 * @throws the error of the bind (EADDRINUSE, EACCES)
 */
export async function openAdminPort({ host, port, allowedHosts, log }: AdminOptions): Promise<AdminPort> {
  let pages = STARTING;
  const listener = await listen({
    host,
    port,
    limits: LIMITS,
    // No page of any origin but its own, of which there is none.
    cors: { origins: [], hosts: allowedHosts, headers: [], leftToProxy: false },
    handler: pagesHandler(
      () => pages,
      ownHosts(allowedHosts),
      (error) => log.error({ error: errorFields(error) }, "a page of the admin port was not answered"),
    ),
    onDeaf: () => log.error({ host, port }, "the admin port accepts nobody any more"),
    log,
  });
  return {
    url: listener.url,
    show: (shown) => void (pages = shown),
    close: () => listener.drain(DRAIN_MS_MAX),
  };
}
