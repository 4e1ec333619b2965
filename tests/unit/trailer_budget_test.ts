import { Code, ConnectError } from "@connectrpc/connect";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { respellGrpcMessage } from "../../src/transport/http2/headers.ts";
import {
  boundError,
  boundText,
  boundTrailers,
  ERROR_HEADER_BYTES_MAX,
  errorAlone,
  MESSAGE_BYTES_MAX,
  TRAILER_BYTES_MAX,
  trailerBytes,
} from "../../src/rpc/trailer_budget.ts";

/** Texts with whatever UTF-16 can be, short ones and ones that are over the bound. */
const texts = fc.tuple(fc.string({ unit: "binary", maxLength: 40 }), fc.integer({ min: 1, max: 200 }))
  .map(([text, times]) => text.repeat(times));

Deno.test("the size of trailers is that of names and values and 32 bytes a field", () => {
  assertEquals(
    trailerBytes({ "grpc-status": "5", "set-cookie": ["a=1", "b=22"] }),
    11 + 1 + 32 + 10 + 3 + 32 + 10 + 4 + 32,
  );
});

Deno.test("a text that fits stays as it is, a longer one is cut between characters and says so", () => {
  fc.assert(fc.property(fc.oneof(texts, fc.constant("\ud800".repeat(500))), (text) => {
    const bounded = boundText(text);
    const spelled = respellGrpcMessage(encodeURIComponent(bounded));
    assertLessOrEqual(spelled.length, MESSAGE_BYTES_MAX);
    const wellFormed = text.toWellFormed();
    if (respellGrpcMessage(encodeURIComponent(wellFormed)).length <= MESSAGE_BYTES_MAX) {
      assertEquals(bounded, wellFormed);
    } else {
      assert(bounded.endsWith("…") && wellFormed.startsWith(bounded.slice(0, -1)), bounded);
      // Cut no shorter than it must be: a character has 12 bytes at most.
      assert(spelled.length > MESSAGE_BYTES_MAX - 12 - "%E2%80%A6".length, `${spelled.length}`);
    }
  }));
});

Deno.test("an error keeps its code and the details that fit, in their sequence", () => {
  const sizes = fc.array(fc.oneof(fc.nat(200), fc.nat(9_000)), { maxLength: 60 });
  fc.assert(fc.property(texts, sizes, (text, lengths) => {
    const details = lengths.map((length, i) => ({
      desc: ErrorInfoSchema,
      value: { reason: `R${i}`, metadata: { text: "x".repeat(length) } },
    }));
    const error = new ConnectError(text, Code.NotFound, { "x-request-id": "r".repeat(64) }, details);
    const bounded = boundError(error);
    assertEquals(bounded.code, Code.NotFound);
    assertEquals(bounded.metadata.get("x-request-id"), "r".repeat(64));
    assertEquals(bounded.details, error.details.slice(0, bounded.details.length));
  }));
});

Deno.test("trailers of any size fit in the end, with the status, and a text that can be decoded", () => {
  const value = fc.oneof(fc.nat(100), fc.nat(20_000)).map((length) => "v".repeat(length));
  const names = fc.constantFrom("x-request-id", "x-a", "x-b", "grpc-status-details-bin");
  // What is cut within an escape, whatever the place.
  const shifted = fc.integer({ min: 0, max: 12 }).map((by) => "a".repeat(by) + "𐀀&".repeat(200));
  fc.assert(fc.property(fc.oneof(texts, shifted), fc.array(fc.tuple(names, value), { maxLength: 6 }), (given, more) => {
    const text = given.toWellFormed();
    const message = respellGrpcMessage(encodeURIComponent(text));
    const fields = { ...Object.fromEntries(more), "grpc-status": "5", "grpc-message": message };
    const whole = trailerBytes({ ...fields, "grpc-message": message.slice(0, MESSAGE_BYTES_MAX) });
    const bounded = boundTrailers({ ...fields });
    assertLessOrEqual(trailerBytes(bounded), TRAILER_BYTES_MAX);
    assertEquals(bounded["grpc-status"], "5");
    const sent = String(bounded["grpc-message"]);
    assertLessOrEqual(sent.length, MESSAGE_BYTES_MAX);
    assert(text.startsWith(decodeURIComponent(sent)), sent);
    if (whole <= TRAILER_BYTES_MAX) assertEquals(Object.keys(bounded).sort(), Object.keys(fields).sort());
  }));
});

Deno.test("an error that is all of an answer is one header, where it fits; nothing else is", () => {
  const header = { ":status": 200, "content-type": "application/grpc", "grpc-encoding": "gzip", "x-request-id": "a" };
  const more = "y".repeat(ERROR_HEADER_BYTES_MAX - 300);
  assertEquals(errorAlone(header, { "grpc-status": "14", "x-request-id": "a" }), {
    ":status": 200,
    "content-type": "application/grpc",
    "grpc-status": "14",
    "x-request-id": "a",
  });
  assertEquals([errorAlone(header, { "grpc-status": "0" }), errorAlone(header, {})], [undefined, undefined]);
  assertEquals(errorAlone(header, { "grpc-status": "9", "x-more": more })?.["x-more"], more);
  assertEquals(errorAlone(header, { "grpc-status": "9", "x-more": "y".repeat(ERROR_HEADER_BYTES_MAX) }), undefined);
});
