import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import { assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { SellRequestSchema } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { partsOf } from "../../src/rpc/messages/batch_parts.ts";
import { FREE_BYTES, MessageBudget } from "../../src/rpc/messages/budget.ts";
import type { MessageCheck } from "../../src/rpc/messages/check.ts";
import { receiveRequest } from "../../src/rpc/messages/received_body.ts";
import { Turns } from "../../src/rpc/messages/turns.ts";

const BYTES_MAX = 50_000;
const ENVELOPED = ["application/grpc+proto", "application/grpc-web+proto", "application/connect+json"] as const;
const ENCODINGS = { "application/connect+json": "connect-content-encoding", "application/json": "content-encoding" };

/** All that a call is received with. */
function setting(isSingle = false, budgetBytes = 1_000_000) {
  const budget = new MessageBudget(budgetBytes);
  const checked: Uint8Array[] = [];
  const check: MessageCheck = {
    bytesMax: BYTES_MAX,
    isSingle,
    check(bytes) {
      checked.push(bytes);
      return { becomes: bytes.length };
    },
  };
  const turns = new Turns({ nowMs: () => 0, later: (then) => queueMicrotask(then) });
  const receiving = { budget, turns };
  return { budget, checked, check, receiving };
}

Deno.test("the same messages, each in one chunk, however they are cut, and none that is complete is kept back", async () => {
  const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(40_000)), { maxLength: 6 });
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 30_000 })), {
    minLength: 1,
  });
  const types = fc.constantFrom(...ENVELOPED);
  await fc.assert(
    fc.asyncProperty(sizes, cuts, types, fc.boolean(), async (lengths, parts, type, isPacked) => {
      const { budget, checked, check, receiving } = setting();
      const messages = lengths.map(message);
      const sent = messages.map((bytes) => enveloped(isPacked ? gzipSync(bytes) : bytes, isPacked ? 1 : 0));
      const ends = sent.map((_, i) => sent.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0));
      let asked = 0;
      let handed = 0;
      async function* source() {
        for (const part of cut(Buffer.concat(sent), parts)) {
          // Whoever asks for more has handed on what was complete.
          assertEquals(handed, ends.filter((end) => end <= asked).length);
          asked += part.length;
          yield await Promise.resolve(part);
        }
      }
      const header = new Headers({ "content-type": type });
      if (isPacked) header.set(ENCODINGS[type as keyof typeof ENCODINGS] ?? "grpc-encoding", "gzip");
      const received = receiveRequest(source(), header, check, receiving, values());
      const chunks: Uint8Array[] = [];
      for await (const chunk of received.body) {
        chunks.push(chunk);
        handed++;
      }
      received.end();
      assertEquals(chunks.map((chunk) => Buffer.from(chunk)), messages.map((bytes) => enveloped(bytes)));
      assertEquals(checked.map((bytes) => Buffer.from(bytes)), messages);
      assertEquals(
        [...received.header.keys()].filter((name) => name.endsWith("content-encoding") || name === "grpc-encoding"),
        [],
      );
      assertEquals(budget.view.bytes, 0);
    }),
  );
});

Deno.test("a body that is one message is one chunk, however it is cut", async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1 });
  await fc.assert(fc.asyncProperty(fc.nat(40_000), cuts, fc.boolean(), async (length, parts, isPacked) => {
    const { budget, check, receiving } = setting(true);
    const header = new Headers({
      "content-type": "application/json",
      ...(isPacked ? { "content-encoding": "gzip" } : {}),
    });
    const sent = isPacked ? gzipSync(message(length)) : message(length);
    const received = receiveRequest(each(cut(sent, parts)), header, check, receiving, values());
    const chunks = await all(received.body);
    assertEquals(chunks.map((chunk) => Buffer.from(chunk)), [message(length)]);
    received.end();
    assertEquals(budget.view.bytes, 0);
  }));
});

Deno.test("a message that ends too soon, is too large, or one too many, is refused, and what it took comes back", async () => {
  const whole = enveloped(message(100));
  for (
    const [body, code, read] of [
      [[whole.subarray(0, 3)], Code.InvalidArgument, 1],
      [[whole.subarray(0, 50)], Code.InvalidArgument, 1],
      [[enveloped(message(10)).fill(0xff, 1, 5)], Code.ResourceExhausted, 1],
      [[whole, whole], Code.Unimplemented, 2],
      [[Buffer.concat([whole, whole])], Code.Unimplemented, 1],
      // Nothing is read behind the prefix that says too much.
      [[Buffer.of(0, 0, 1, 0, 0), message(40_000), message(40_000)], Code.ResourceExhausted, 1],
    ] as const
  ) {
    const { budget, check, receiving } = setting(true);
    let asked = 0;
    const source = async function* () {
      for (const part of body) {
        asked++;
        yield await Promise.resolve(part);
      }
    };
    const received = receiveRequest(
      source(),
      new Headers({ "content-type": "application/grpc" }),
      check,
      receiving,
      values(),
    );
    const error = await assertRejects(() => all(received.body), ConnectError);
    received.end();
    assertEquals([error.code, asked, budget.view.bytes], [code, read, 0], error.message);
  }
});

Deno.test("nothing may come behind the end of a stream, in each protocol that has one", async () => {
  for (const [type, flag] of [["application/grpc-web", 0x80], ["application/connect+proto", 0b10]] as const) {
    const { check, receiving } = setting(false);
    const end = enveloped(message(0)).fill(flag, 0, 1);
    const ended = receiveRequest(
      each([enveloped(message(10)), end]),
      new Headers({ "content-type": type }),
      check,
      receiving,
      values(),
    );
    assertEquals((await all(ended.body)).length, 2);
    const again = receiveRequest(each([end, end]), new Headers({ "content-type": type }), check, receiving, values());
    const error = await assertRejects(() => all(again.body), ConnectError);
    assertEquals(error.code, Code.InvalidArgument);
  }
});

Deno.test("a deadline ends a body whose next byte never comes, and so does the budget", async () => {
  const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const { budget, check, receiving } = setting(true);
  const header = new Headers({ "content-type": "application/grpc", "grpc-timeout": "5m" });
  const waiting = receiveRequest(never, header, check, receiving, values());
  const late = await assertRejects(() => all(waiting.body), ConnectError);
  waiting.end();
  assertEquals([late.code, budget.view.bytes], [Code.DeadlineExceeded, 0]);

  const tight = setting(true, 2 * FREE_BYTES);
  const large = receiveRequest(
    each([enveloped(message(20_000))]),
    new Headers({ "content-type": "application/grpc" }),
    tight.check,
    tight.receiving,
    values(),
  );
  const over = await assertRejects(() => all(large.body), ConnectError);
  large.end();
  assertEquals([over.code, tight.budget.view.bytes, tight.checked], [Code.ResourceExhausted, 0, []]);
});

Deno.test("a body is as long as is said of it, and that is said to nobody else", async () => {
  for (const [said, length] of [[5, 5], [6, 5], [4, 5], [0, 0]] as const) {
    const { check, receiving } = setting(true);
    const header = new Headers({ "content-type": "application/proto", "content-length": String(said) });
    const received = receiveRequest(each([message(length)]), header, check, receiving, values());
    assertEquals(received.header.has("content-length"), false);
    const end = await all(received.body).then(() => "all", (error: ConnectError) => error.message);
    received.end();
    const lie = `[invalid_argument] protocol error: promised ${said} bytes, received ${length}`;
    assertEquals(end, said === length ? "all" : lie);
  }
  // Who says too much is refused by Connect.
  const { check, receiving } = setting(true);
  const header = new Headers({ "content-type": "application/proto", "content-length": String(BYTES_MAX + 1) });
  assertEquals(receiveRequest(each([]), header, check, receiving, values()).header.get("content-length"), "50001");
});

Deno.test("a large batch is handed on empty, and is counted as its bytes until it has its turn", async () => {
  const NEVER = new AbortController().signal;
  for (const type of ["application/proto", "application/json", "application/grpc", "application/grpc+json"]) {
    const { budget, check, receiving } = setting(true);
    const batch = message(20_000);
    const becomes = 200_000;
    const parts = { message: batch, ranges: [0, 10, 10, 20] };
    const context = values();
    const isEnveloped = type.startsWith("application/grpc");
    const received = receiveRequest(
      each([isEnveloped ? enveloped(batch) : batch]),
      new Headers({ "content-type": type }),
      { ...check, check: () => ({ becomes, parts }) },
      receiving,
      context,
    );
    const empty = Buffer.from(type.endsWith("json") ? "{}" : "");
    assertEquals(Buffer.concat(await all(received.body)), isEnveloped ? enveloped(empty) : empty);
    assertEquals([budget.view.bytes, budget.view.turnBytes], [20_000 + 32 - FREE_BYTES, 0]);
    const { count, turn } = partsOf(context, SellRequestSchema, []);
    const end = await turn(NEVER);
    assertEquals([count, budget.view.turnBytes], [2, becomes]);
    end();
    received.end();
    assertEquals([budget.view.bytes, budget.view.turnBytes], [0, 0]);
  }
});

Deno.test("what the body throws is thrown, and a call that was refused before gets nothing of it", async () => {
  const failure = new Error("gone");
  async function* breaking() {
    yield await Promise.resolve(Uint8Array.of(0, 0));
    throw failure;
  }
  const { check, receiving } = setting();
  const header = new Headers({ "content-type": "application/grpc" });
  assertEquals(
    await all(receiveRequest(breaking(), header, check, receiving, values()).body).catch((error) => error),
    failure,
  );
  const refused = new ConnectError("refused", Code.ResourceExhausted);
  const body = receiveRequest(each([enveloped(message(5))]), header, check, receiving, values(), refused).body;
  assertEquals(await all(body).catch((error) => error), refused);
});

Deno.test("a message of a few bytes is not kept in the buffer of a large one", async () => {
  const { check, receiving } = setting();
  const sent = Buffer.concat([enveloped(message(40_000)), enveloped(message(10))]);
  const body = receiveRequest(
    each(cut(sent, [7])),
    new Headers({ "content-type": "application/grpc" }),
    check,
    receiving,
    values(),
  )
    .body;
  for (const chunk of await all(body)) assertLessOrEqual(chunk.buffer.byteLength, chunk.length);
});

/** The values of a call that came over no listener. */
const values = createContextValues;

/** A message of so many bytes. */
function message(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index + size) % 251));
}

function enveloped(bytes: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** In parts of these lengths, by turns. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const length = lengths[n % lengths.length]!;
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

async function* each(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(part);
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const list: Uint8Array[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return list;
}
