/** What is said of a node that has no vote, and which nodes are one server. */
import { assert, assertEquals } from "@std/assert";
import { noLogInReason, reasonOf } from "../../src/lock/nodes/reason.ts";
import { runIdOf, Servers } from "../../src/lock/nodes/standing.ts";

Deno.test("a reason is one bounded line without what must not be shown", () => {
  const said = new Error(
    "ERR unknown command 'hunter2',\r\nwith args beginning with: 'shop' 'hunter2' \u001b[31m\u0000",
  );
  assertEquals(
    reasonOf(said, ["hunter2", "", "shop"]),
    "ERR unknown command '***', with args beginning with: '***' '***' [31m",
  );
  const long = reasonOf(new Error(`ERR ${"x".repeat(1_000_000)}`), ["secret"]);
  assert(long.length < 200, `${long.length} characters`);
  assert(!reasonOf(new Error(`${"x".repeat(155)}a-long-secret`), ["a-long-secret"]).includes("a-lon"), "a piece of it");
  assertEquals(reasonOf(Object.assign(new Error(""), { code: "ECONNREFUSED" }), []), "ECONNREFUSED");
});

Deno.test("a log-in that fails is distinguished from a node that is away, in words without a secret", () => {
  const failed = (message: string, code?: string) =>
    noLogInReason(Object.assign(new Error(message), code === undefined ? {} : { code }), ["hunter2"]);
  const wrong = "WRONGPASS invalid username-password pair or user is disabled.";
  assertEquals(failed(wrong), `it refuses the log-in: ${wrong}`);
  assertEquals(failed("NOAUTH hunter2\nis needed"), "it refuses the log-in: NOAUTH *** is needed");
  assertEquals(failed("ERR invalid password"), "it refuses the log-in: ERR invalid password");
  assertEquals(
    failed("received fatal alert: CertificateRequired", "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"),
    "it refuses the log-in: received fatal alert: CertificateRequired",
  );
  assertEquals(
    failed("self-signed certificate in certificate chain", "SELF_SIGNED_CERT_IN_CHAIN"),
    "its certificate is not taken: self-signed certificate in certificate chain",
  );
  for (
    const [message, code] of [
      ["connect ECONNREFUSED 127.0.0.1:1", "ECONNREFUSED"],
      ["write EPROTO", "EPROTO"],
      ["ERR unknown command 'WRONGPASS'"],
      ["OOM command not allowed"],
      ["NOPERM this user has no permissions to run the 'evalsha' command"],
    ] as const
  ) assertEquals(failed(message, code), undefined);
});

Deno.test("of nodes that are one server the first has the vote, and the next when that is gone", () => {
  const servers = new Servers();
  const twins = () => [1, 2, 3, 4].map((node) => servers.twinOf(node));
  assertEquals(twins(), [undefined, undefined, undefined, undefined]);
  servers.set(3, "a");
  servers.set(1, "a");
  servers.set(4, "b");
  servers.set(2, "a");
  assertEquals(twins(), [undefined, 1, 1, undefined]);
  servers.set(1, undefined);
  assertEquals(twins(), [undefined, undefined, 2, undefined]);
  servers.set(2, "c");
  assertEquals(twins(), [undefined, undefined, undefined, undefined]);
});

Deno.test("the run_id of INFO, and nothing that is none", () => {
  assertEquals(runIdOf("# Server\r\nrun_id:0123456789abcdef\r\ntcp_port:1\r\n"), "0123456789abcdef");
  assertEquals(runIdOf("redis_run_id:12\r\nrun_id:\r\n"), undefined);
  assertEquals(runIdOf(`run_id:${"x".repeat(500)}\r\n`), undefined);
});
