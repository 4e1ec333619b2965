/**
 * The settings of the stores that may be secrets, or name files: what goes together, what stands in a file, and that
 * nothing of a secret is repeated.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UnreadableFileError } from "../../src/base/small_file.ts";
import { ConfigError, loadConfig } from "../../src/config/config.ts";
import { CONSOLE_DIR } from "../../src/config/console_dir.ts";
import { serverFlags, supervisorFlags } from "../../src/config/flags.ts";
import { secretFiles } from "../../src/config/permissions.ts";
import { migrateAddresses } from "../../src/migrate/addresses.ts";

const URL = "postgres://u:s3cret@db.example/d";
const NODES = ["a", "b", "c"].map((name) => `rediss://:s3cret@${name}`).join(",");
const FILES: Readonly<Record<string, string>> = {
  "/run/url": `${URL}?sslmode=verify-full\n`,
  "/run/windows": `${URL}\r\n`,
  "/run/nodes": `${NODES}\n`,
  "/run/wrong": "mysql://u:s3cret@h\n",
  "/run/two": `${URL}\n${URL}\n`,
  "/run/newline": "\n",
};

function readFile(path: string): string {
  const text = FILES[path];
  if (text === undefined) throw new UnreadableFileError("there is no such file");
  return text;
}

function load(settings: Record<string, string>) {
  return loadConfig((name) => settings[name], readFile);
}

function problems(settings: Record<string, string>): readonly string[] {
  const found = assertThrows(() => load(settings), ConfigError).problems;
  assert(!found.join().includes("s3cret"), found.join("; "));
  return found;
}

Deno.test("a secret may stand in a file, whose last newline is none of it", () => {
  const config = load({ DATABASE_URL_FILE: "/run/url", REDIS_URLS_FILE: "/run/nodes" });
  assertEquals(config.database, load({ DATABASE_URL: `${URL}?sslmode=verify-full` }).database);
  assertEquals(config.redisNodes, load({ REDIS_URLS: NODES }).redisNodes);
  assertEquals([config.databaseUrlFile, config.redisUrlsFile], ["/run/url", "/run/nodes"]);
  assertEquals(load({ DATABASE_URL_FILE: "/run/windows" }).database.database, "d");
});

Deno.test("what is wrong with a file of a secret is said under its name, without what is in it", () => {
  const rows: [settings: Record<string, string>, wanted: RegExp][] = [
    [
      { DATABASE_URL_FILE: "/run/url", DATABASE_URL: URL },
      /^DATABASE_URL_FILE: expected nothing, as DATABASE_URL is set$/,
    ],
    [{ DATABASE_URL_FILE: "/not/there" }, /^DATABASE_URL_FILE: there is no such file, got "\/not\/there"$/],
    [{ DATABASE_URL_FILE: URL }, /^DATABASE_URL_FILE: expected the path of a file, and it is an address$/],
    [{ REDIS_URLS_FILE: NODES }, /^REDIS_URLS_FILE: expected the path of a file, and it is an address$/],
    [{ DATABASE_URL_FILE: "/run/newline" }, /^DATABASE_URL_FILE: is empty, got /],
    [{ DATABASE_URL_FILE: "/run/wrong" }, /^DATABASE_URL_FILE: in the file: expected an address such as postgres:/],
    [{ DATABASE_URL_FILE: "/run/two" }, /^DATABASE_URL_FILE: in the file: a character stands in it/],
    [{ REDIS_URLS_FILE: "/run/wrong" }, /^REDIS_URLS_FILE: in the file: /],
  ];
  for (const [settings, wanted] of rows) {
    const found = problems(settings);
    assert(found.every((problem) => /^(DATABASE_URL|REDIS_URLS)_FILE: /.test(problem)), found.join("; "));
    assert(wanted.test(found[0] ?? ""), found.join("; "));
  }
});

Deno.test("a problem of a secret's file repeats nothing of it, whatever it is", () => {
  fc.assert(fc.property(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (before, behind) => {
    const text = `${before}s3cret${behind}`;
    try {
      loadConfig((name) => ({ DATABASE_URL_FILE: "/f", REDIS_URLS_FILE: "/f" })[name], () => text);
    } catch (error) {
      assert(error instanceof ConfigError && !error.message.includes("s3cret"), `${error}`);
    }
  }));
});

Deno.test("files of secrets and of TLS may be read by the service, those of secrets by its supervisor, and no others", () => {
  const settings = {
    DATABASE_URL_FILE: "/run/url",
    DATABASE_TLS_CA_FILE: "/tls/a,b.pem",
    REDIS_URLS_FILE: "/run/nodes",
    REDIS_TLS_CA_FILE: "/tls/ca.pem",
    REDIS_TLS_CERT_FILE: "/tls/cert.pem",
    REDIS_TLS_KEY_FILE: "/tls/key.pem",
  };
  const config = load(settings);
  const secrets = "/run/url,/run/nodes";
  const tls = "/tls/a,,b.pem,/tls/ca.pem,/tls/cert.pem,/tls/key.pem";
  assert(
    serverFlags(config).includes(`--allow-read=/dev/null,${secrets},${tls},${CONSOLE_DIR}`),
    serverFlags(config).join(" "),
  );
  assert(supervisorFlags({ deno: "deno", files: secretFiles(config) }).includes(`--allow-read=${secrets}`));
  const others = serverFlags(load({ ...settings, CONCURRENCY: "row" }));
  assert(others.includes(`--allow-read=/dev/null,${secrets},/tls/a,,b.pem,${CONSOLE_DIR}`), others.join(" "));
});

Deno.test("files of TLS make an address verify-full, and stand beside nothing that says otherwise", () => {
  const { tls } = load({ DATABASE_URL: URL, DATABASE_TLS_CA_FILE: "/ca.pem" }).database;
  assertEquals([tls.mode, tls.rootCertificate], ["verify-full", "/ca.pem"]);
  const own = { DATABASE_TLS_CERT_FILE: "/cert.pem", DATABASE_TLS_KEY_FILE: "/key.pem" };
  const withOwn = load({ DATABASE_URL: `${URL}?sslmode=verify-ca`, ...own }).database.tls;
  assertEquals([withOwn.mode, withOwn.own], ["verify-ca", { certificate: "/cert.pem", key: "/key.pem" }]);

  const CA = { DATABASE_TLS_CA_FILE: "/ca.pem" };
  const refused: [settings: Record<string, string>, wanted: string][] = [
    [
      { DATABASE_URL: `${URL}?sslmode=disable`, ...CA },
      "DATABASE_TLS_CA_FILE: expected nothing, as DATABASE_URL has sslmode=disable",
    ],
    [
      { DATABASE_URL: `${URL}?sslrootcert=/x.pem`, ...CA },
      "DATABASE_TLS_CA_FILE: expected nothing, as DATABASE_URL has sslrootcert or sslcert",
    ],
    [
      { DATABASE_URL: "postgres://u@/d?host=/run", ...own },
      "DATABASE_TLS_CERT_FILE: expected nothing, as DATABASE_URL leads to a socket of this machine",
    ],
    [
      { DATABASE_URL: URL, DATABASE_TLS_KEY_FILE: "/k" },
      "DATABASE_TLS_CERT_FILE: expected, as DATABASE_TLS_KEY_FILE is set",
    ],
    [{ REDIS_URLS: NODES, REDIS_TLS_CERT_FILE: "/c" }, "REDIS_TLS_KEY_FILE: expected, as REDIS_TLS_CERT_FILE is set"],
    [
      { REDIS_URLS: "rediss://a,redis://b,rediss://c", REDIS_TLS_CA_FILE: "/c" },
      "REDIS_TLS_CA_FILE: expected rediss:// for every entry of REDIS_URLS, and entry 2 is redis://",
    ],
  ];
  for (const [settings, wanted] of refused) assertEquals(problems(settings), [wanted]);
});

Deno.test("an address that takes any certificate, or may come about without TLS, is said at the start", () => {
  const warned = (url: string, more = {}) => load({ DATABASE_URL: url, ...more }).notes.join();
  const remote = "postgres://u:s3cret@db.example/d";
  const local = "postgres://u:s3cret@127.0.0.1/d";
  for (const url of [`${remote}?sslmode=require`, `${local}?ssl=true`]) {
    assert(warned(url).startsWith("DATABASE_URL: sslmode=require takes any certificate"), warned(url));
  }
  for (const query of ["", "?sslmode=prefer", "?sslmode=allow"]) {
    assert(warned(remote + query).includes("may come about without TLS"), query);
    assertEquals(warned(local + query), "", query);
  }
  for (
    const query of [
      "disable",
      "verify-ca",
      "verify-full",
      "require&sslrootcert=/ca.pem",
      "require&channel_binding=require",
    ]
  ) {
    assertEquals(warned(`${remote}?sslmode=${query}`), "", query);
  }
  assertEquals(warned(remote, { DATABASE_TLS_CA_FILE: "/ca.pem" }), "");
});

Deno.test("migrate reads both addresses, from files too, and takes the files of TLS for both", () => {
  const read = (settings: Record<string, string>) => migrateAddresses((name) => settings[name], readFile);
  const { owner, server } = read({
    DATABASE_OWNER_URL: "postgres://owner:s3cret@db.example/d",
    DATABASE_URL_FILE: "/run/windows",
    DATABASE_TLS_CA_FILE: "/ca.pem",
  });
  assertEquals([owner.user, server.user], ["owner", "u"]);
  assertEquals([owner.tls, server.tls].map(({ mode, rootCertificate }) => [mode, rootCertificate]), [
    ["verify-full", "/ca.pem"],
    ["verify-full", "/ca.pem"],
  ]);
  assertEquals(read({ DATABASE_URL_FILE: "/run/url" }).owner.user, "u");
  const refused = assertThrows(
    () => read({ DATABASE_OWNER_URL_FILE: "/run/wrong", DATABASE_URL_FILE: "/not/there" }),
    ConfigError,
  );
  assertEquals(refused.problems.map((problem) => problem.slice(0, 40)), [
    'DATABASE_URL_FILE: there is no such file, got "/not/there"'.slice(0, 40),
    "DATABASE_OWNER_URL_FILE: in the file: expected".slice(0, 40),
  ]);
});
