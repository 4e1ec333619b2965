/** A receiver of OpenTelemetry's spans, as JSON over HTTP, in the test's own process. */
import { assert } from "@std/assert";
import { eventually } from "./eventually.ts";

/** A span as it was received. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** "" for the first of a trace. */
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The spans that it links to. */
  readonly links: readonly string[];
}

interface Sent {
  readonly resourceSpans?: {
    readonly scopeSpans: {
      readonly spans: {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId: string;
        readonly name: string;
        readonly kind: number;
        readonly status: { readonly code: number };
        readonly attributes: { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
        readonly links: { readonly spanId: string }[];
      }[];
    }[];
  }[];
}

/** Receives spans. */
export class OtlpReceiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  /** The texts of all bodies, to be searched. */
  readonly bodies: string[] = [];
  /** Requests that were begun. */
  requests = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #closed = Promise.withResolvers<Response>();

  /** @param answers whether requests are answered; else they are taken, and their senders wait */
  constructor(answers = true) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      this.requests++;
      const body = await request.text();
      if (!answers) return await this.#closed.promise;
      this.bodies.push(body);
      this.spans.push(...spansIn(JSON.parse(body)));
      return Response.json({});
    });
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** What `OTEL_` settings a server needs to send here, soon after each span. */
  get env(): Readonly<Record<string, string>> {
    return {
      OTEL_DENO: "true",
      OTEL_DENO_CONSOLE: "ignore",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    };
  }

  /** Waits for the one span of which this is true. */
  async one(isIt: (span: ReceivedSpan) => boolean, what: string): Promise<ReceivedSpan> {
    await eventually(() => this.spans.some(isIt), `a span that is ${what}`);
    const found = this.spans.filter(isIt);
    assert(found.length === 1, `${found.length} spans are ${what}: ${JSON.stringify(this.spans, undefined, 1)}`);
    return found[0]!;
  }

  /** Those right below a span, by name, once there are so many. */
  async children({ traceId, spanId }: ReceivedSpan, count: number): Promise<ReceivedSpan[]> {
    const below = () => this.spans.filter((span) => span.traceId === traceId && span.parentSpanId === spanId);
    await eventually(() => below().length >= count, `${count} spans below ${spanId}`);
    return below().sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.resolve(new Response());
    await this.#server.shutdown();
  }
}

function spansIn({ resourceSpans = [] }: Sent): ReceivedSpan[] {
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans).flatMap(({ spans }) => spans).map((span) => ({
    ...span,
    status: span.status.code,
    attributes: Object.fromEntries(span.attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
    links: span.links.map(({ spanId }) => spanId),
  }));
}
