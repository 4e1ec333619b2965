/** AUTH, and when it must be set. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError, loadConfig } from "../../src/config/config.ts";

const CERT = { TLS_CERT_FILE: "c.pem", TLS_KEY_FILE: "k.pem" };

function load(settings: Record<string, string>) {
  return loadConfig((name) => settings[name]);
}

function problems(settings: Record<string, string>): readonly string[] {
  return assertThrows(() => load(settings), ConfigError).problems;
}

Deno.test("on loopback nobody is asked unless that is said, in whatever form the host is written", () => {
  for (const HOST of ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "::1", "[::1]", "0:0:0:0:0:0:0:1"]) {
    const { auth, notes } = load({ HOST });
    assertEquals([auth, notes], [[], []], HOST);
  }
});

Deno.test("where others can reach the port, AUTH must be set, and the problem says to what", () => {
  for (
    const HOST of ["0.0.0.0", "::", "10.0.0.7", "stock.example", "::2", "fe80::1", "128.0.0.1", "localhost.example"]
  ) {
    const [found = "", ...more] = problems({ HOST });
    assertStringIncludes(
      found,
      `AUTH: expected, as HOST (${HOST}) can be reached from other machines: keys, jwt, mtls`,
    );
    assertStringIncludes(found, "none, which lets whoever reaches the port do everything");
    assertEquals(more, []);
  }
});

Deno.test("AUTH=none is a warning where others can reach the port, and so are credentials without TLS", () => {
  const notes = (settings: Record<string, string>) => load({ HOST: "0.0.0.0", ...settings }).notes;
  assertEquals(notes({ AUTH: "none" }), ["AUTH is none: whoever can reach 0.0.0.0 may do everything"]);
  assertEquals(notes({ AUTH: "keys" }).map((note) => note.slice(0, 34)), ["AUTH is keys without TLS_CERT_FILE"]);
  assertEquals(notes({ AUTH: "keys", ...CERT }), []);
  assertEquals(load({ AUTH: "keys" }).notes, []);
  assertEquals(load({ AUTH: "none" }).notes, []);
});

Deno.test("nobody being asked is a warning on loopback, too, where a proxy passes on what others call", () => {
  const notes = (settings: Record<string, string>) => load({ TRUSTED_PROXIES: "127.0.0.1", ...settings }).notes;
  assertEquals(notes({}), ["AUTH is not set: whoever calls through TRUSTED_PROXIES may do everything"]);
  assertEquals(notes({ AUTH: "none" }), ["AUTH is none: whoever calls through TRUSTED_PROXIES may do everything"]);
  assertEquals(notes({ AUTH: "keys" }), []);
  assertEquals(notes({ HOST: "0.0.0.0", AUTH: "none" }).length, 1);
});

Deno.test("AUTH is none, or kinds that there are, each once", () => {
  assertEquals(load({ AUTH: "keys" }).auth, ["keys"]);
  assertEquals(load({ AUTH: "none" }).auth, []);
  for (const AUTH of ["all", "Keys", "keys,keys", "none,keys", "keys,", ",", "keys jwt", "password"]) {
    assertEquals(problems({ AUTH }).map((problem) => problem.split(":")[0]), ["AUTH"], AUTH);
  }
});
