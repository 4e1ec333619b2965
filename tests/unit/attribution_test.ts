import { Code, ConnectError, createContextValues, createHandlerContext } from "@connectrpc/connect";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { setIdentity } from "../../src/auth/caller.ts";
import type { Identity } from "../../src/auth/identity.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { Violations } from "../../src/rpc/errors.ts";
import { ACTOR_HEADER, type OperatedRequest, readActor, readOperated } from "../../src/services/attribution.ts";
import { readBuyerId } from "../../src/services/validation.ts";
import { addressKey, callerValues } from "../../src/transport/addresses.ts";

const LOOPBACK = ["127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1"];
/** Whose addresses look like this machine's, and are not: the last is IPv4 behind a translator (RFC 6052, RFC 2765). */
const ELSEWHERE = ["10.0.0.7", "128.0.0.1", "1.127.0.0", "fe80::1%eth0", "::2", "::", "::127.0.0.1", "::ffff:0:7f00:1"];

/** A call from the address with these fields of that name. */
function callFrom(address: string | undefined, ...actors: string[]) {
  const requestHeader = new Headers();
  for (const actor of actors) requestHeader.append(ACTOR_HEADER, actor);
  return createHandlerContext({
    service: InventoryService,
    method: InventoryService.method.sell,
    protocolName: "connect",
    requestMethod: "POST",
    url: "http://127.0.0.1/",
    requestHeader,
    contextValues: address === undefined ? createContextValues() : callerValues(addressKey(address)),
  });
}

function faultOf(read: () => unknown): [code: string, text: string] {
  const error = assertThrows(read, ConnectError);
  return [Code[error.code]!, error.rawMessage];
}

const EVERY_REASON = { isKnown: () => true, codes: [] };
const PLAIN: OperatedRequest = { reason: "", documentUri: "", dryRun: false };

function violationOf(request: Partial<OperatedRequest>): string {
  const violations = new Violations();
  readOperated(violations, { ...PLAIN, ...request }, undefined, EVERY_REASON);
  return violations.error()?.rawMessage ?? "none";
}

Deno.test("who asks is believed on this machine, and refused from elsewhere", () => {
  for (const address of LOOPBACK) assertEquals(readActor(callFrom(address, "till 4")), "till 4", address);
  for (const address of [...ELSEWHERE, undefined]) {
    const [code, text] = faultOf(() => readActor(callFrom(address, "till 4")));
    assertEquals(code, "PermissionDenied", address);
    assertEquals(text, "x-holdfast-actor is taken from the server's own machine only, and this call came from another");
  }
});

Deno.test("who has proven to be somebody is that, and nobody else, from wherever the call comes", () => {
  const identity: Identity = { kind: "keys", name: "till 7", rights: new Set(), isValid: () => true };
  for (const address of [...LOOPBACK, ...ELSEWHERE, undefined]) {
    const proven = (...actors: string[]) => {
      const context = callFrom(address, ...actors);
      setIdentity(context.values, identity);
      return context;
    };
    for (const actors of [[], [""], ["till 7"]]) assertEquals(readActor(proven(...actors)), "till 7");
    for (const actors of [["till 4"], ["till 7", "till 7"], ["x".repeat(200)]]) {
      const [code, text] = faultOf(() => readActor(proven(...actors)));
      assertEquals(code, "PermissionDenied", address);
      assertEquals(text, "x-holdfast-actor is not taken where callers prove who they are, unless it says the same");
    }
  }
});

Deno.test("who says nothing of it is nobody, from wherever", () => {
  for (const address of [...LOOPBACK, ...ELSEWHERE, undefined]) {
    assertEquals(readActor(callFrom(address)), undefined);
    // As a proxy does that empties what its callers say.
    assertEquals(readActor(callFrom(address, "")), undefined);
  }
});

Deno.test("of two fields none is believed: a proxy's beside its caller's", () => {
  assertEquals(faultOf(() => readActor(callFrom("127.0.0.1", "mallory", "till 4"))), [
    "InvalidArgument",
    'x-holdfast-actor: expected 1 to 128 characters of printable ASCII without a comma, got "," (U+002C) as character ' +
    "8 of 15",
  ]);
});

Deno.test("an actor is printable ASCII, and bounded", () => {
  assertEquals(readActor(callFrom("127.0.0.1", "a".repeat(128)))?.length, 128);
  for (const actor of ["a".repeat(129), "a\tb", "zoë", "a\u0085b", "a\u00adb"]) {
    assertEquals(faultOf(() => readActor(callFrom("127.0.0.1", actor)))[0], "InvalidArgument", JSON.stringify(actor));
  }
});

Deno.test("what an operation has of it is what was said, and nothing else", () => {
  const read = (request: Partial<OperatedRequest>, actor?: string) =>
    readOperated(new Violations(), { ...PLAIN, ...request }, actor, EVERY_REASON);
  assertEquals(read({}), {});
  assertEquals(read({ dryRun: true }), { dryRun: true });
  assertEquals(read({}, "till 4"), { attribution: { actor: "till 4" } });
  assertEquals(read({ reason: "damage", documentUri: "po:7", dryRun: true }, "till 4"), {
    attribution: { reason: "damage", documentUri: "po:7", actor: "till 4" },
    dryRun: true,
  });
});

Deno.test("a document is a URI of 512 characters at most, and no other character than it shows", () => {
  for (const uri of ["po:7", "https://shop.example/a?b=c#d", "urn:isbn:0", "u".repeat(512)]) {
    assertEquals(violationOf({ documentUri: uri }), "none", uri);
  }
  const wrong: [uri: string, got: string][] = [
    ["u".repeat(513), "513 characters"],
    ["u".repeat(4096), "4096 characters"],
    ["po:7\n", "U+000A as character 5 of 5"],
    ["po:\u0000", "U+0000 as character 4 of 4"],
    ["po:\u007f", "U+007F as character 4 of 4"],
    ["po:\u009b31m", "U+009B as character 4 of 7"],
    ["https://shop.example/\u202egpj.exe", "U+202E as character 22 of 29"],
    ["po:\u2066", "U+2066 as character 4 of 4"],
    ["po:\ud800", "U+D800 as character 4 of 4"],
    ["po:é", '"é" (U+00E9) as character 4 of 4'],
    ["a b", '" " (U+0020) as character 2 of 3'],
  ];
  for (const [uri, got] of wrong) {
    const expected = `document_uri: expected a URI of 1 to 512 visible ASCII characters, got ${got}`;
    assertEquals(violationOf({ documentUri: uri }), expected);
  }
});

Deno.test("a reason has the form of a code", () => {
  for (const reason of ["damage", "r2_d2", "r".repeat(32)]) assertEquals(violationOf({ reason }), "none");
  for (const reason of ["Damage", "a b", "a\u0000", "r".repeat(33), "é", "a/b", "a.b", "2nd-hand"]) {
    assertEquals(
      violationOf({ reason }).split(",")[0],
      "reason: expected a code of 1 to 32 characters out of a-z 0-9 _",
    );
  }
});

Deno.test("a reason is one of those that there are, and who gives another learns which there are", () => {
  const codes = Array.from({ length: 22 }, (_, i) => `r${i}`);
  for (
    const [known, named] of [[codes.slice(0, 2), "r0, r1"], [codes, `${codes.slice(0, 20).join(", ")} and 2 more`]]
  ) {
    const violations = new Violations();
    const reasons = { isKnown: (code: string) => known!.includes(code), codes: known as string[] };
    readOperated(violations, { ...PLAIN, reason: "r1" }, undefined, reasons);
    assertEquals(violations.error(), undefined);
    readOperated(violations, { ...PLAIN, reason: "other" }, undefined, reasons);
    assertEquals(violations.error()?.rawMessage, `reason: expected one of ${named}, got other`);
  }
});

Deno.test("what passes is printable, whatever it is made of", () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary", maxLength: 80 }),
    fc.string({ unit: "binary-ascii", maxLength: 80 }),
  );
  const visible = /^[!-~]*$/;
  fc.assert(
    fc.property(anything, (text) => {
      const violations = new Violations();
      readBuyerId(violations, "buyer_id", text);
      const isRefused = violations.error() !== undefined;
      assertEquals(isRefused, !visible.test(text) || text.length > 64);
      assertEquals(violationOf({ documentUri: text }) !== "none", !visible.test(text));
    }),
    { numRuns: 2_000 },
  );
});
