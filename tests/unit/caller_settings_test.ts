/** The settings of tokens and of client certificates: what is refused, and what they need of the process. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ConfigError, loadConfig } from "../../src/config/config.ts";
import { neededPermissions } from "../../src/config/permissions.ts";

const JWT = { AUTH: "jwt", JWT_ISSUER: "https://i.example/", JWT_AUDIENCE: "a,b", JWT_JWKS: "https://i.example/jwks" };
const MTLS = {
  AUTH: "mtls",
  TLS_CERT_FILE: "/c",
  TLS_KEY_FILE: "/k",
  TLS_CLIENT_CA_FILE: "/ca",
  MTLS_RIGHTS: "spiffe://shop/orders=seller",
};
const load = (given: Readonly<Record<string, string>>) => loadConfig((name) => given[name]);

Deno.test("what a kind of AUTH needs and is not there is named, and what none needs is said", () => {
  assertEquals(problemsOf({ AUTH: "keys,jwt,mtls" }), [
    ...["JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS"].map((name) => `${name}: expected, as AUTH has jwt`),
    ...["TLS_CERT_FILE", "TLS_CLIENT_CA_FILE", "MTLS_RIGHTS"].map((name) => `${name}: expected, as AUTH has mtls`),
  ]);
  const { notes, jwt, mtls } = load({ ...JWT, ...MTLS, AUTH: "keys" });
  assertEquals([jwt, mtls], [undefined, undefined]);
  assertEquals(notes.filter((note) => note.endsWith("AUTH has no jwt")).length, 3);
  assertEquals(notes.filter((note) => note.endsWith("AUTH has no mtls")).length, 2);
});

Deno.test("no algorithm can be set by which whoever verifies can sign, nor a place of keys that others could change", () => {
  const cases: [name: string, value: string, problem: string][] = [
    ["JWT_ALGORITHMS", "none", "expected algorithms out of"],
    ["JWT_ALGORITHMS", "RS256,HS256", "expected algorithms out of"],
    ["JWT_ALGORITHMS", "rs256", "expected algorithms out of"],
    ["JWT_ALGORITHMS", "RS256,,ES256", "entry 2 of 3 is empty"],
    ["JWT_JWKS", "http://i.example/jwks", "expected https"],
    ["JWT_JWKS", "http://127.0.0.1.evil.example/jwks", "expected https"],
    ["JWT_JWKS", "ftp://i.example/jwks", "expected the address"],
    ["JWT_JWKS", "https://u:secret@i.example/jwks", "expected the address"],
    ["JWT_JWKS", "https://i.example/#x", "expected the address"],
    ["JWT_ISSUER", "a b", "expected 1 to 256 visible ASCII characters"],
    ["JWT_AUDIENCE", "a, ,b", "entry 2 of 3 is empty"],
    ["JWT_CLOCK_SKEW_S", "301", "expected 300 or less"],
    ["JWT_JWKS_AGE_MS_MAX", "1000", "expected 60000 or more"],
    ["MTLS_RIGHTS", "spiffe://shop/orders=owner", "expected rights out of"],
    ["MTLS_RIGHTS", "spiffe://shop/orders=", "expected rights out of"],
    ["MTLS_RIGHTS", "orders=seller", "expected a name and its rights"],
    ["MTLS_RIGHTS", "dns:*.shop=seller", "expected a name and its rights"],
    ["MTLS_RIGHTS", "cn:a=reader,cn:a=operator", "entry 2 has the name of entry 1"],
    ["MTLS_RIGHTS", Array.from({ length: 1001 }, (_, i) => `cn:${i}=reader`).join(","), "has 1001 entries"],
  ];
  for (const [name, value, problem] of cases) {
    const [found = "", ...others] = problemsOf({ ...JWT, ...MTLS, AUTH: "jwt,mtls", [name]: value });
    assert(
      found.startsWith(`${name}: `) && found.includes(problem) && others.length === 0,
      `${name}=${value.slice(0, 50)}: ${found}`,
    );
    assert(!found.includes("secret"), found);
  }
});

Deno.test("the process may talk to the host of the issuer's keys, or read their file, and no more", () => {
  const without = neededPermissions(load({}));
  const more = (given: Readonly<Record<string, string>>) => {
    const { net, read } = neededPermissions(load(given));
    return [
      ...net.filter((host) => !without.net.includes(host)),
      ...read.filter((path) => !without.read.includes(path)),
    ];
  };
  assertEquals(more(JWT), ["i.example:443"]);
  assertEquals(more({ ...JWT, JWT_JWKS: "https://i.example:8443/x?y=z" }), ["i.example:8443"]);
  assertEquals(more({ ...JWT, JWT_JWKS: "http://localhost/x" }), ["localhost:80"]);
  assertEquals(more({ ...JWT, JWT_JWKS: "http://[::1]:9/x" }), ["[::1]:9"]);
  assertEquals(more({ ...JWT, JWT_JWKS: "/etc/keys.json" }), ["/etc/keys.json"]);
  assertEquals(more(MTLS), ["/c", "/k", "/ca"]);
  assertEquals(more({ ...JWT, ...MTLS, AUTH: "keys" }), ["/c", "/k"]);
});

function problemsOf(given: Readonly<Record<string, string>>): readonly string[] {
  return assertThrows(() => load(given), ConfigError).problems;
}
