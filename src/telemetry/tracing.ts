/**
 * Spans, by Deno's own OpenTelemetry, which `OTEL_DENO=true` turns on and which exports them. Deno makes a span of each
 * request, named by its HTTP verb, and honours `traceparent`; here that span becomes the call's, and what is done for
 * the call hangs below it:
 *
 *     inventory.v1.InventoryService/Sell
 *       batch                  links to all of its calls; in the trace of the first, and the others link to it
 *         lease acquire
 *         read_snapshot
 *         write_changes
 *         lease release
 *
 * Calls that are not sampled cost one look at their flags, and batches, leases and statements of no sampled call are in
 * no trace.
 */
import {
  type Context,
  context,
  type Link,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import type { CallEnd, CallObserver, Ended, ObservedBatch, ObservedCall, StockObserver } from "./observer.ts";

/** Links of one batch, and of one call. A batch may have more calls, and a call more batches. */
const LINKS_MAX = 128;

/** Codes that are a fault of the server by the conventions for spans of gRPC servers; others are a caller's matter. */
const FAULTS: ReadonlySet<string> = new Set([
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
]);

/** The name of the symbols under which Deno 2.9.3 keeps its span of a request. */
const SPAN_SYMBOL = "kOtelSpan";

/** Which trace something belongs to, as fields of a log line. */
export interface TraceFields {
  readonly trace_id: string;
  readonly span_id: string;
}

/** What makes spans. */
export interface Tracing {
  readonly calls: CallObserver;
  readonly stock: StockObserver;
  /** Of what runs now; undefined where that belongs to no trace. */
  fields(): TraceFields | undefined;
  /** Of the call that this stream, or response, answers. */
  fieldsOf(carrier: object): TraceFields | undefined;
}

/** Undefined where Deno makes no spans. */
export function openTracing(): Tracing | undefined {
  if (trace.getTracerProvider() instanceof ProxyTracerProvider) return undefined;
  const spans = new RequestSpans();
  return {
    calls: new CallSpans(spans),
    stock: new StockSpans(trace.getTracer("holdfast")),
    fields: () => fieldsOf(trace.getActiveSpan()),
    fieldsOf: (carrier) => fieldsOf(spans.of(carrier)),
  };
}

function fieldsOf(span: Span | undefined): TraceFields | undefined {
  if (span === undefined) return undefined;
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}

/** Finds Deno's spans of requests, which it does not make active for their handlers. */
class RequestSpans {
  readonly #symbols = new Set<symbol>();

  of(carrier: object): Span | undefined {
    for (const symbol of this.#symbols) {
      const span = (carrier as Record<symbol, Span | undefined>)[symbol];
      if (span !== undefined) return span;
    }
    const symbol = Object.getOwnPropertySymbols(carrier).find(({ description }) => description === SPAN_SYMBOL);
    if (symbol === undefined) return undefined;
    // One for streams of HTTP/2, and one for responses of HTTP/1.
    this.#symbols.add(symbol);
    return (carrier as Record<symbol, Span | undefined>)[symbol];
  }
}

class CallSpans implements CallObserver {
  constructor(private readonly spans: RequestSpans) {}

  begin({ method }: ObservedCall, carrier: object): (<T>(work: () => T) => T) | undefined {
    const span = this.spans.of(carrier);
    if (span === undefined || !isSampled(span)) return undefined;
    span.updateName(method);
    span.setAttribute("rpc.method", method);
    const within = trace.setSpan(ROOT_CONTEXT, span);
    return (work) => context.with(within, work);
  }

  end({ system }: ObservedCall, carrier: object, { code, reason }: CallEnd): void {
    const span = this.spans.of(carrier);
    if (span === undefined || !isSampled(span)) return;
    span.setAttribute("rpc.system.name", system);
    span.setAttribute("rpc.response.status_code", code);
    if (reason !== undefined) span.setAttribute("holdfast.reason", reason);
    if (!FAULTS.has(code)) return;
    span.setAttribute("error.type", code);
    span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  }
}

class StockSpans implements StockObserver {
  constructor(private readonly tracer: Tracer) {}

  call(): Span | undefined {
    return trace.getActiveSpan();
  }

  async batch({ entries, goods, calls }: ObservedBatch, work: () => Promise<void>): Promise<void> {
    const known = [...new Set(calls as readonly (Span | undefined)[])].filter((call) => call !== undefined);
    const [first, ...others] = known.slice(0, LINKS_MAX);
    // Else its work would be in the trace of whoever happened to start it.
    if (first === undefined) return await context.with(ROOT_CONTEXT, work);
    const links: Link[] = [first, ...others].map((call) => ({ context: call.spanContext() }));
    const attributes = { "holdfast.batch.entries": entries, "holdfast.batch.goods": goods };
    const span = this.tracer.startSpan("batch", { attributes, links }, trace.setSpan(ROOT_CONTEXT, first));
    for (const call of others) call.addLink({ context: span.spanContext() });
    try {
      await context.with(trace.setSpan(ROOT_CONTEXT, span), work);
    } finally {
      span.end();
    }
  }

  lease(step: "acquire" | "extend" | "release", goods: number): Ended {
    return this.#begin(`lease ${step}`, {
      "db.system.name": "redis",
      "db.operation.name": step,
      "holdfast.lease.goods": goods,
    });
  }

  statement(operation: string): Ended {
    return this.#begin(operation, { "db.system.name": "postgresql", "db.operation.name": operation });
  }

  /** A span below what runs now; none where that is in no trace. */
  #begin(name: string, attributes: Readonly<Record<string, string | number>>): Ended {
    const active: Context = context.active();
    if (trace.getSpan(active) === undefined) return nothing;
    const span = this.tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, active);
    return (error) => {
      if (error !== undefined) {
        // Not its text: that of a driver may quote what was sent.
        const type = error instanceof Error ? error.name : typeof error;
        span.setAttribute("error.type", type);
        span.setStatus({ code: SpanStatusCode.ERROR, message: type });
      }
      span.end();
    };
  }
}

function nothing(): void {}

function isSampled(span: Span): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}
