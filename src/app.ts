/** The composition root: the services on top of the stock, behind the port. main, tests and benchmarks share it. */
import { setTimeout as delay } from "node:timers/promises";
import type { Served } from "./admin/sources.ts";
import type { Config } from "./config/config.ts";
import { CONSOLE_DIR } from "./config/console_dir.ts";
import { DRAIN_MS_MAX } from "./config/stop_times.ts";
import { watchReadiness } from "./health/readiness.ts";
import { ANSWER_JSON } from "./services/answer_json.ts";
import { believedActor } from "./services/attribution.ts";
import { HealthBoard } from "./health/board.ts";
import { identityOf } from "./auth/caller.ts";
import { openCallers } from "./auth/open_callers.ts";
import { RefusalAudit } from "./auth/refusal_audit.ts";
import { ServedConsole } from "./site/handler.ts";
import { withHealthPaths } from "./services/health/paths.ts";
import { deadline } from "./rpc/deadline.ts";
import { errorBoundary, refuseWhileDraining } from "./rpc/interceptors.ts";
import { LedgerCheck } from "./jobs/ledger_check.ts";
import { HoldSweeper } from "./jobs/hold_sweeper.ts";
import { CallLimits } from "./limits/call_limits.ts";
import { watchLoopDelay } from "./limits/loop_delay.ts";
import { listen, type Listener, type ListenerOptions } from "./transport/listener.ts";
import { limitsWithShare, LISTENER_LIMITS } from "./transport/limits.ts";
import type { CertificatePair } from "./transport/port.ts";
import { corsRules } from "./transport/cors/rules.ts";
import { ownHosts } from "./transport/own_names.ts";
import { MessageBudget } from "./rpc/messages/budget.ts";
import { addServices, boundsOf, namesOf, rightsOf, type ServiceModule } from "./services/service_module.ts";
import { callObserver } from "./telemetry/call_observer.ts";
import type { Log } from "./telemetry/log.ts";
import { joinStockObservers } from "./telemetry/observer.ts";
import { ProcessMeasures } from "./telemetry/process_measures.ts";
import type { Tracing } from "./telemetry/tracing.ts";
import { createRpcHandler } from "./rpc/router.ts";
import { streamFields } from "./rpc/stream_methods.ts";
import { UnreadableMessages } from "./rpc/messages/check.ts";
import { openStock, type Stock, stockDependencies, type StockParts } from "./stock.ts";
import { openServices, RESPONSE_BYTES_MAX } from "./service_list.ts";

/** So long before connections are closed their peers are asked to make others: longer than a request is in transit. */
const ASKED_TO_LEAVE_MS = 1_000;

/** What may be given to the app beside the parts of its stock. */
export interface AppParts extends StockParts {
  /** Certificate chain and key as PEM; without it the port speaks cleartext. */
  readonly tls?: CertificatePair | undefined;
  /** True: the port is shared with other processes that say so too. */
  readonly reusePort?: boolean;
  /** Connections that the port may have, where the process can't have as many as the listener's limits say. */
  readonly connectionsMax?: number | undefined;
  /** Called when the port accepts nobody any more and can't be listened on anew. */
  readonly onDeaf?: (error: unknown) => void;
  /** Absent: no spans are made. */
  readonly tracing?: Tracing | undefined;
  /** Services beside the program's own, such as the benchmark's. */
  readonly services?: readonly ServiceModule[];
}

/** The running service. */
export interface App {
  /** What it shows of itself. */
  readonly served: Served;
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Makes new connections' handshakes with this certificate. Only where `tls` was given. */
  useCertificate(pair: CertificatePair): void;
  /** Reads the page for browsers anew, where it is served. */
  readConsole(): Promise<void>;
  /**
   * Health turns NOT_SERVING, and calls are served for DRAIN_DELAY_MS more. Then new calls are refused, calls under way
   * finish or are cut after a bounded time, leases are released, connections close.
   */
  close(): Promise<void>;
}

/**
 * Starts serving. PostgreSQL and Redis may still be away: health says when they are there.
 *
 * @throws Error where the port can't be listened on, or a service does not say all that it must
 */
export async function startApp(config: Config, parts: AppParts): Promise<App> {
  const measures = new ProcessMeasures(() => performance.now());
  // What batches take is shown at the admin port alone.
  const measured = config.admin === undefined ? undefined : measures.stock;
  const stock = openStock(config, { observer: joinStockObservers(parts.tracing?.stock, measured), ...parts });
  try {
    return await serveStock(stock, config, { ...parts, measures });
  } catch (error) {
    await stock.close();
    throw error;
  }
}

async function serveStock(stock: Stock, config: Config, parts: AppParts & Pick<Served, "measures">): Promise<App> {
  const { log, measures } = parts;
  const board = new HealthBoard([]);
  const budget = new MessageBudget(
    config.requestBytesBudget,
    Math.max(config.requestBytesBudget * config.addressShareMax, config.requestBytesMax),
  );
  const unreadable = new UnreadableMessages(log);
  const audit = new RefusalAudit(log);
  const modules = openServices(config, stock, { ...parts, board, audit });
  const rightOf = rightsOf(modules);
  const callers = await openCallers({ ...parts, config, readKeys: stock.store.readKeys, rightOf, audit });
  const limits = new CallLimits({
    inner: callers?.admission,
    identityOf,
    rightOf,
    bounds: config.identityBounds,
    streams: { ...config.watchers, addressShare: config.addressShareMax },
    loopDelayMsMax: config.shedLoopDelayMs,
    random: Math.random,
    log,
  });
  const handler = createRpcHandler({
    admission: limits,
    log,
    unaryMsMax: config.requestTimeoutMsMax,
    writeMaxBytes: RESPONSE_BYTES_MAX,
    unreadStreamMs: LISTENER_LIMITS.unreadStreamMs,
    maxTimeoutMs: config.requestTimeoutMsMax,
    bounds: boundsOf(modules),
    budget,
    unreadable,
    isOwnHost: ownHosts(config.allowedHosts),
    observer: callObserver(config.accessLogSample, parts),
    actorOf: callers === undefined ? believedActor : (values) => identityOf(values)?.name,
    jsonOptions: ANSWER_JSON,
    interceptors: [
      errorBoundary(log),
      refuseWhileDraining(() => board.closed, new Set(namesOf(modules, ({ drainExempt }) => drainExempt))),
      deadline(config.requestTimeoutMsMax, log),
    ],
    streamInterceptors: [streamFields, ...callers === undefined ? [] : [callers.interceptor]],
    routes: (router) => addServices(router, modules),
  });
  const page = config.console ? await ServedConsole.open(CONSOLE_DIR, pageHosts(config), log) : undefined;
  const listener = await listen({
    ...listenOptions(config, parts),
    handler: withHealthPaths(page?.before(handler) ?? handler, board),
    carried: callers?.carried,
  }).catch(async (error) => {
    await callers?.close();
    throw error;
  });
  const stopLooking = watchLoopDelay((lateMs, sinceMs) => {
    measures.looked(lateMs);
    limits.look(lateMs, sinceMs);
  });
  const sweeper = new HoldSweeper({ store: stock.store, lanes: stock.lanes, log, random: Math.random });
  const ledger = stock.own && new LedgerCheck({ store: stock.own, log, random: Math.random });
  const stopping = new AbortController();
  const readiness = watchReadiness(
    [...stockDependencies(stock, config), ...callers?.dependencies ?? []],
    (ready, dependencies) => {
      board.setDependencies(dependencies);
      board.set(ready ? "SERVING" : "NOT_SERVING");
    },
    log,
    stopping.signal,
  );
  return {
    url: listener.url,
    served: {
      health: () => board.view,
      lanes: stock.lanes,
      lock: () => stock.lock?.status(),
      store: () => stock.own?.view,
      listener: () => listener.view,
      messages: () => ({ ...budget.view, unreadable: unreadable.count }),
      limits: () => limits.view,
      refusedCallers: () => audit.counts,
      sweeper: () => sweeper.view,
      ledger: () => ledger?.view,
      tailer: () => stock.watching.view,
      measures,
    },
    readConsole: async () => await page?.read(),
    useCertificate(pair) {
      listener.useCertificate(pair);
      callers?.useCertificate(pair);
    },
    async close() {
      await leave({ board, listener, stock }, config, log);
      stopLooking();
      stopping.abort();
      const jobs = Promise.all([sweeper.stop(), ledger?.stop()]);
      await listener.drain(DRAIN_MS_MAX);
      await readiness;
      await jobs;
      await callers?.close();
      await stock.close();
    },
  };
}

/** What those who call look at and come by. */
interface Entrance {
  readonly board: HealthBoard;
  readonly listener: Listener;
  readonly stock: Pick<Stock, "watching">;
}

/**
 * Takes no new calls any more, once whoever balances them has had DRAIN_DELAY_MS to see that health says NOT_SERVING.
 * In the end of that time clients with connections of their own are asked to go, and by then find other processes.
 */
async function leave({ board, listener, stock }: Entrance, { drainDelayMs }: Config, log: Log): Promise<void> {
  const askedMs = Math.min(ASKED_TO_LEAVE_MS, drainDelayMs);
  if (drainDelayMs > 0) {
    board.leave();
    log.info({ drainDelayMs }, "health says NOT_SERVING; calls are still served");
    await delay(drainDelayMs - askedMs);
  }
  stock.watching.drain();
  if (drainDelayMs > 0) {
    listener.askToLeave();
    await delay(askedMs);
  }
  board.close();
}

/** Hosts from which pages may call this server: its own names, and those that are allowed as origins. */
function pageHosts({ allowedHosts, corsOrigins }: Config): (host: string | undefined) => boolean {
  const isOwnHost = ownHosts(allowedHosts);
  const { origins } = corsRules({ origins: corsOrigins, hosts: allowedHosts });
  return (host) => isOwnHost(host) || origins.has(`http://${host}`) || origins.has(`https://${host}`);
}

function listenOptions(config: Config, parts: AppParts): Omit<ListenerOptions, "handler"> {
  const { tls, reusePort, connectionsMax, onDeaf, log } = parts;
  return {
    host: config.host,
    port: config.port,
    reusePort,
    sharers: reusePort ? config.workers : 1,
    limits: {
      ...limitsWithShare(config.addressShareMax, connectionsMax),
      // Twice the largest message, for the framing of its chunks.
      http1RequestBytesMax: Math.max(LISTENER_LIMITS.http1RequestBytesMax, 2 * config.requestBytesMax),
      connectionAgeMsMax: config.connectionAgeMsMax ?? Infinity,
      // The longest call, and the time in which its caller reads the answer.
      leaveMsMax: config.requestTimeoutMsMax + LISTENER_LIMITS.leaveMsMax,
    },
    onDeaf,
    tls,
    cors: {
      origins: config.corsOrigins,
      hosts: config.allowedHosts,
      headers: config.corsHeaders,
      leftToProxy: config.corsLeftToProxy,
    },
    log,
    proxies: config.trustedProxies,
    newRequestId: () => crypto.randomUUID(),
  };
}
