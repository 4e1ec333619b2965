/** What the ends of connections and the names of keys are taken for; SQLSTATEs are provoked in store_errors_test.ts. */
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  DatabaseUnavailableError,
  FENCE_LOST_TEXT,
  FenceLostError,
  isDriverFault,
  OutcomeUnknownError,
  storeError,
} from "../../src/store/errors.ts";

const failed = (fields: Record<string, string>, message = "") => Object.assign(new Error(message), fields);

/** What a socket, TLS or the driver says of a connection that was there. */
const ENDED = [
  ...["ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "ENETRESET", "EHOSTDOWN"],
  ...[
    "ECONNABORTED",
    "ENOTCONN",
    "EBADF",
    "EIO",
    "ERR_STREAM_DESTROYED",
    "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
  ],
  ...["CONNECTION_CLOSED", "CONNECTION_ENDED", "CONNECTION_DESTROYED"],
];

for (const code of ENDED) {
  Deno.test(`${code} under a statement leaves its outcome unknown`, () => {
    assertInstanceOf(storeError(failed({ code })), OutcomeUnknownError);
  });
}

for (const code of ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "CONNECT_TIMEOUT"]) {
  Deno.test(`${code} is a database that can't be reached`, () => {
    assertInstanceOf(storeError(failed({ code })), DatabaseUnavailableError);
  });
}

const KEYS: readonly [key: string, fence: boolean][] = [
  ["movements_pkey", true],
  ["orders_0_pkey", true],
  ["p2026_11_pkey1", true],
  ["levels_pkey_102008", true],
  ["orders_by_buyer", false],
  ["movements_pkey_comment", false],
];

for (const [constraint_name, fence] of KEYS) {
  Deno.test(`a second row under ${constraint_name} is ${fence ? "a lost fence" : "a fault of the schema"}`, () => {
    assertEquals(storeError(failed({ code: "23505", constraint_name })) instanceof FenceLostError, fence);
    const text = `duplicate key value violates unique constraint "${constraint_name}"`;
    assertEquals(storeError(failed({ code: "XX000" }, text)) instanceof FenceLostError, fence);
  });
}

Deno.test("a text that is no number is a lost fence only if it is the one of the fence", () => {
  const text = `invalid input syntax for type integer: "${FENCE_LOST_TEXT}"`;
  assertInstanceOf(storeError(failed({ code: "22P02" }, text)), FenceLostError);
  const other = failed({ code: "22P02" }, 'invalid input syntax for type integer: "x"');
  assertEquals(storeError(other), other);
});

Deno.test("what the driver fails over is not taken for what PostgreSQL says or for what was never sent", () => {
  assertEquals(isDriverFault(new RangeError("out of range")), true);
  assertEquals(isDriverFault(failed({ code: "SASL_SIGNATURE_MISMATCH" })), true);
  assertEquals(isDriverFault(failed({ name: "PostgresError", code: "42601" })), false);
  assertEquals(isDriverFault(failed({ code: "UNDEFINED_VALUE" })), false);
  assertEquals(isDriverFault(new OutcomeUnknownError("x")), false);
});
