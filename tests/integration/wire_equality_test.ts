/**
 * What is answered over HTTP/2 is what connect-node answers: every request goes to both, and status, header, bytes,
 * trailers and reset are compared. Each row also says what the answer is, so that both can't be wrong alike.
 *
 * An error that is all of a gRPC answer is one header here, and two lists of fields at connect-node's.
 *
 * Where ours is meant to be another answer the row says which one connect-node's is, and only that is compared: a
 * message that can't be read is its caller's fault and not INTERNAL, a deadline above the server's is cut and not
 * refused, a call that reaches no handler is answered as a call, a bare status has a reason, and gRPC-web is taken as
 * text.
 */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import { Code } from "@connectrpc/connect";
import { CHECK, WATCH } from "../support/listening.ts";
import { ask, type RawAnswer, type RawRequest } from "../support/http2_answers.ts";
import { bytesField, grpcMessage } from "../support/raw_call.ts";
import { asking, READ_BYTES_MAX, TIMEOUT_MS_MAX, withBothHandlers, WRITE_BYTES_MAX } from "../support/both_handlers.ts";

const LIST = "/grpc.health.v1.Health/List";
const REFLECT = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

interface Row extends RawRequest {
  readonly name: string;
  readonly path?: string;
  /** The name of the grpc-status, or the HTTP status where there is none. */
  readonly answer: string;
  /** What connect-node answers instead, where that differs on purpose. */
  readonly stock?: string;
}

const OK = asking("");
const CODES = Object.values(Code).filter((code) => typeof code === "number");

const HANDLERS: readonly Row[] = [
  { name: "an answer", answer: "OK", body: [OK] },
  { name: "an empty answer", answer: "OK", body: [asking("zero")] },
  { name: "an empty message", answer: "OK", body: [Buffer.alloc(5)] },
  { name: "header and trailers of the handler", answer: "OK", body: [asking("headers")] },
  ...CODES.map((code): Row => ({
    name: `an error of code ${Code[code]}, with metadata, some with details`,
    answer: Code[code]!,
    body: [asking(`throw ${code} a: b, "c" 100% ü\u{1f600}`)],
  })),
  { name: "an error without a text", answer: "Aborted", body: [asking("throw 10")] },
  { name: "an error of another kind", answer: "Internal", body: [asking("throw-error")] },
  { name: "a signal that ends with its call", answer: "OK", body: [asking("note-end")] },
  { name: "nothing thrown", answer: "OK", body: [asking("throw-nothing")] },
  {
    name: "all that the handler learns",
    answer: "OK",
    headers: { "x-twice": ["1", "2"], "x-data-bin": ["AAEC", "Aw"], cookie: ["a=1", "b=2"], "user-agent": "x/1" },
    body: [asking("report")],
  },
  { name: "the time that is left", answer: "OK", headers: { "grpc-timeout": "50S" }, body: [asking("report")] },
  { name: "another host", answer: "OK", headers: { ":authority": "other.example" }, body: [asking("report")] },
  { name: "and the first again", answer: "OK", body: [asking("report")] },
  { name: "a query", answer: "OK", path: `${CHECK}?a=b`, body: [asking("report")] },
];

const SIZES: readonly Row[] = [
  { name: "the largest request", answer: "OK", body: [asking("a".repeat(READ_BYTES_MAX - 3))] },
  { name: "a byte too many", answer: "ResourceExhausted", body: [asking("a".repeat(READ_BYTES_MAX - 2))] },
  { name: "far too many", answer: "ResourceExhausted", body: [grpcMessage(Buffer.alloc(40_000))] },
  {
    name: "a small message said to be large",
    answer: "ResourceExhausted",
    body: [grpcMessage(OK, { length: 2 ** 31 })],
  },
  { name: "and not ended", answer: "ResourceExhausted", body: [grpcMessage(OK, { length: 2 ** 31 })], then: "wait" },
  list("a large answer", "OK", 60_000),
  list("the largest answer", "OK", WRITE_BYTES_MAX - 12),
  list("a byte too many in the answer", "ResourceExhausted", WRITE_BYTES_MAX - 11),
  list("a large answer in gzip", "OK", 60_000, { "grpc-accept-encoding": "identity,deflate,gzip" }),
  list("a large answer where only brotli is accepted, which is not offered", "OK", 60_000, {
    "grpc-accept-encoding": "br",
  }),
  list("a small answer where gzip is accepted", "OK", 10, { "grpc-accept-encoding": "gzip" }),
  list("no encoding that is known", "OK", 60_000, { "grpc-accept-encoding": "snappy" }),
  list("no encoding at all", "OK", 60_000, { "grpc-accept-encoding": "" }),
];

const BODIES: readonly Row[] = [
  { name: "byte by byte", answer: "OK", body: [...OK].map((byte) => Buffer.of(byte)) },
  {
    name: "prefix and message apart",
    answer: "OK",
    body: [asking("report").subarray(0, 5), asking("report").subarray(5)],
  },
  { name: "no message", answer: "Unimplemented" },
  { name: "half a prefix", answer: "InvalidArgument", body: [OK.subarray(0, 3)] },
  { name: "half a message", answer: "InvalidArgument", body: [asking("report").subarray(0, 8)] },
  { name: "a byte after the message", answer: "InvalidArgument", body: [OK, Buffer.of(0)] },
  { name: "two messages", answer: "Unimplemented", body: [OK, OK] },
  { name: "two messages at once", answer: "Unimplemented", body: [Buffer.concat([OK, OK])] },
  { name: "two messages and no end", answer: "Unimplemented", body: [OK, OK], then: "wait" },
  {
    name: "garbage",
    answer: "InvalidArgument",
    stock: "Internal",
    body: [grpcMessage(Buffer.from("d8a1f00dbadc0ffee0dd", "hex"))],
  },
  {
    name: "not UTF-8",
    answer: "InvalidArgument",
    stock: "Internal",
    body: [grpcMessage(bytesField(1, Buffer.of(0xff)))],
  },
  { name: "an unknown field", answer: "OK", body: [grpcMessage(bytesField(900, Buffer.from("x")))] },
  { name: "unknown flags", answer: "OK", body: [flagged(0b1111_1110, OK)] },
  { name: "compressed, they say, by nothing", answer: "Internal", body: [flagged(1, OK)] },
  encoded("gzip", "OK", grpcMessage(gzipSync(OK.subarray(5)), { compressed: true })),
  encoded("gzip", "OK", OK),
  encoded("gzip", "InvalidArgument", grpcMessage(Buffer.from("not gzip"), { compressed: true })),
  encoded("gzip", "ResourceExhausted", grpcMessage(gzipSync(Buffer.alloc(1e6)), { compressed: true })),
  encoded("br", "Unimplemented", grpcMessage(brotliCompressSync(OK.subarray(5)), { compressed: true })),
  encoded("identity", "OK", OK),
  encoded("snappy", "Unimplemented", OK),
];

const HEADERS: readonly Row[] = [
  ...["5S", "100m", "99999999n", "59000000u", "1M"].map((value) => timeout(value, "OK")),
  ...["", "abc", "-1S", "1.5S", "100", "123456789S", "1s", " 1S"].map((value) =>
    timeout(value, value === " 1S" ? "OK" : "InvalidArgument")
  ),
  { ...timeout("2M", "OK"), stock: "InvalidArgument" },
  { ...timeout("99999999H", "OK"), stock: "InvalidArgument" },
  timeout(`${TIMEOUT_MS_MAX}m`, "OK"),
  { ...timeout(`${TIMEOUT_MS_MAX + 1}m`, "OK"), stock: "InvalidArgument" },
  timeout("0n", "OK"),
  { ...timeout("50m", "OK"), name: "a timeout that passes while the handler waits", body: [asking("wait")] },
  { name: "no te", answer: "OK", headers: { te: undefined }, body: [OK] },
  ...["application/grpc", "application/grpc+proto"].map((type) => typed(type, "OK", OK)),
  ...["Application/gRPC", "application/grpc+PROTO"].map((type) => typed(type, "OK", OK)),
  typed("application/grpc+json", "OK", grpcMessage(Buffer.from("{}"))),
  { ...typed("application/grpc+json", "InvalidArgument", grpcMessage(Buffer.from("{"))), stock: "InvalidArgument" },
  { ...typed("application/grpc+cbor", "415", OK), stock: "415" },
  { ...typed("application/grpc; charset=utf-8", "415", OK), stock: "415" },
  typed("application/grpc-web", "200", OK),
  typed("application/grpc-web+proto", "200", asking("throw 3 a: b")),
  { ...typed("application/grpc-web-text", "200", OK), stock: "415" },
  typed("application/json", "200", Buffer.from("{}")),
  typed("application/json", "400", Buffer.from(`{"service":"throw 3 a: b"}`)),
  typed("application/json", "500", Buffer.from(`{"service":"throw-error"}`)),
  { ...typed("application/json", "400", Buffer.from("{")), stock: "400" },
  typed("application/proto", "200", OK.subarray(5)),
  typed("application/proto", "200", asking("headers").subarray(5)),
  { ...typed("text/plain", "415", OK), stock: "415" },
  { ...typed(undefined, "415", OK), stock: "415" },
  ...["GET", "PUT", "DELETE", "OPTIONS", "HEAD"].map((method): Row => ({
    name: `${method}`,
    answer: "405",
    stock: "405",
    headers: { ":method": method },
  })),
  { name: "CONNECT", answer: "405", headers: { ":method": "CONNECT", ":path": undefined, ":authority": "127.0.0.1" } },
  {
    name: "a Connect GET that has a side effect",
    answer: "405",
    stock: "405",
    ...get(`${CHECK}?encoding=json&message=%7B%7D`),
  },
  { name: "an unknown path", answer: "Unimplemented", stock: "404", path: "/", body: [OK] },
  {
    name: "an unknown method",
    answer: "Unimplemented",
    stock: "404",
    path: "/grpc.health.v1.Health/Chuck",
    body: [OK],
  },
  {
    name: "an unknown service",
    answer: "Unimplemented",
    stock: "404",
    path: "/grpc.health.v1.Wealth/Check",
    body: [OK],
  },
  { name: "an unknown path with a query", answer: "Unimplemented", stock: "404", path: "/?/", body: [OK] },
  { name: "100-continue", answer: "OK", headers: { expect: "100-continue" }, body: [OK] },
  { name: "another expectation", answer: "417", headers: { expect: "200-ok" }, body: [OK] },
];

const STREAMS: readonly Row[] = [
  { name: "a stream of two", answer: "OK", path: WATCH, body: [OK] },
  { name: "a stream that fails midway", answer: "NotFound", path: WATCH, body: [asking("throw 5 a: b")] },
  { name: "a stream with header and trailers", answer: "OK", path: WATCH, body: [asking("headers")] },
  { name: "a stream without a request", answer: "Unimplemented", path: WATCH },
  { ...typed("application/grpc+json", "OK", grpcMessage(Buffer.from("{}"))), name: "a stream of JSON", path: WATCH },
  { ...timeout("50m", "OK"), name: "a stream whose time passes", path: WATCH, body: [asking("wait")] },
  { name: "no question", answer: "OK", path: REFLECT },
  { name: "two questions", answer: "OK", path: REFLECT, body: [reflect(7, "*"), reflect(4, "grpc.health.v1.Health")] },
];

for (const [title, rows] of Object.entries({ HANDLERS, SIZES, BODIES, HEADERS, STREAMS })) {
  Deno.test(`the same answers as connect-node's: ${title.toLowerCase()}`, async (t) => {
    await withBothHandlers({}, async ({ stock, ours }) => {
      for (const row of rows) {
        await t.step(`${row.name}: ${row.answer}`, async () => {
          const path = row.path ?? CHECK;
          const both = () => Promise.all([ask(stock.url, path, row), ask(ours.url, path, row)]);
          let [expected, actual] = await both();
          // A tenth of a second is the longest that can be said in ns, and a busy machine may stand still for as long.
          for (let i = 0; i < 10 && row.answer === "OK" && [expected, actual].some(isLate); i++) {
            for (const { notes } of [ours, stock]) notes.length = 0;
            [expected, actual] = await both();
          }
          assertEquals(answerOf(actual), row.answer);
          if (row.stock === undefined) assertEquals(comparable(actual), errorAlone(comparable(expected)));
          else assertEquals(answerOf(expected), row.stock);
          assertEquals(ours.notes.splice(0), stock.notes.splice(0));
        });
      }
    });
  });
}

/**
 * The differences that are meant everywhere: `grpc-message` is spelled as its specification has it, and read the same;
 * every answer of the listener says that it varies by origin; and large answers are packed faster.
 */
function comparable(answer: RawAnswer): RawAnswer {
  const decoded = (line: string) => line.startsWith("grpc-message: ") ? decodeURIComponent(line) : line;
  const trailer = answer.trailer.map(decoded);
  const header = answer.header.filter((line) => line !== "vary: Origin").map(decoded);
  const bytes = Buffer.from(answer.body, "latin1");
  const body = bytes[0] === 1 ? gunzipSync(bytes.subarray(5)).toString("latin1") : answer.body;
  return { ...answer, body, header: header.sort(), trailer: trailer.sort() };
}

/** An error that is all of an answer comes in the header, as libraries of gRPC retry no other one by their policy. */
function errorAlone(answer: RawAnswer): RawAnswer {
  const { header, body, trailer } = answer;
  const isError = trailer.some((line) => line.startsWith("grpc-status: ") && line !== "grpc-status: 0");
  if (!isError || body !== "") return answer;
  const isOver = (line: string) => trailer.some((one) => one.split(": ")[0] === line.split(": ")[0]);
  const left = header.filter((line) => !isOver(line) && !line.startsWith("grpc-encoding: "));
  return { ...answer, header: [...left, ...trailer].sort(), trailer: [] };
}

function isLate(answer: RawAnswer): boolean {
  return answerOf(answer) === "DeadlineExceeded";
}

function answerOf({ status, header, trailer }: RawAnswer): string {
  const code = [...trailer, ...header].find((line) => line.startsWith("grpc-status: "))?.slice("grpc-status: ".length);
  return code === undefined ? `${status}` : code === "0" ? "OK" : Code[Number(code)]!;
}

function list(name: string, answer: string, size: number, headers: Record<string, string> = {}): Row {
  return { name, answer, path: LIST, headers: { ...headers, "x-size": String(size) }, body: [Buffer.alloc(5)] };
}

function encoded(encoding: string, answer: string, message: Buffer): Row {
  return { name: `encoding ${encoding}`, answer, headers: { "grpc-encoding": encoding }, body: [message] };
}

function timeout(value: string, answer: string): Row {
  return { name: `timeout "${value}"`, answer, headers: { "grpc-timeout": value }, body: [OK] };
}

function typed(type: string | undefined, answer: string, body: Uint8Array): Row {
  return { name: `content type ${type}`, answer, headers: { "content-type": type }, body: [body] };
}

function get(path: string): Pick<Row, "path" | "headers"> {
  return { path, headers: { ":method": "GET", "content-type": undefined } };
}

function flagged(flags: number, message: Buffer): Buffer {
  return Buffer.concat([Buffer.of(flags), message.subarray(1)]);
}

/** A question to the reflection, by the number of its field. */
function reflect(field: number, text: string): Buffer {
  return grpcMessage(bytesField(field, Buffer.from(text)));
}
