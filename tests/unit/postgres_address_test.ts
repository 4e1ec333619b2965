/**
 * Tests of the parser of PostgreSQL addresses: what libpq takes, what is refused by name, and that no secret is
 * repeated.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AddressError, percentEncoded } from "../../src/config/address_text.ts";
import { parsePostgresAddress, type PostgresAddress, postgresHostText } from "../../src/config/postgres_address.ts";

function problems(text: string): readonly string[] {
  return assertThrows(() => parsePostgresAddress(text), AddressError).problems;
}

/** What of an address is looked at below. */
function shown({ hosts, user, password, database, tls, ...others }: PostgresAddress) {
  return { hosts: hosts.map(postgresHostText), user, password, database, mode: tls.mode, ...others };
}

const TAKEN: [text: string, wanted: Partial<ReturnType<typeof shown>>][] = [
  ["postgres://u:p@db.example:6000/shop", { hosts: ["db.example:6000"], user: "u", password: "p", database: "shop" }],
  ["postgresql://u@h", { hosts: ["h:5432"], user: "u", password: undefined, database: "u", mode: undefined }],
  [" postgres://u:@H.example:/d\n", { hosts: ["h.example:5432"], password: undefined, database: "d" }],
  ["postgres://u:p@[::1]:5432/db", { hosts: ["[::1]:5432"] }],
  ["postgres://u@[2001:db8::7]/db", { hosts: ["[2001:db8::7]:5432"] }],
  ["postgres://u@h1:5432,h2:5433,h3/d", { hosts: ["h1:5432", "h2:5433", "h3:5432"] }],
  ["postgres://u@h1,[::1]:7/d", { hosts: ["h1:5432", "[::1]:7"] }],
  ["postgres://%75%40corp:p%3Aw%2F%3F%23%25%2C%20%C3%A4@h/my%20db", {
    user: "u@corp",
    password: "p:w/?#%, ä",
    database: "my db",
  }],
  ["postgres://u:a:b,[c]@h/d", { password: "a:b,[c]", hosts: ["h:5432"] }],
  ["postgres://u@/d?host=/run/postgresql", { hosts: ["/run/postgresql/.s.PGSQL.5432"], database: "d" }],
  ["postgres://u@%2Frun%2Fpostgresql:6000/d", { hosts: ["/run/postgresql/.s.PGSQL.6000"] }],
  ["postgres://u:p@localhost/d?host=/cloudsql/project:region:name", {
    hosts: ["/cloudsql/project:region:name/.s.PGSQL.5432"],
  }],
  ["postgres:///d?user=u&password=p%26w&port=6", { hosts: ["localhost:6"], user: "u", password: "p&w", database: "d" }],
  ["postgres://u@h1,h2/d?port=6", { hosts: ["h1:6", "h2:6"] }],
  ["postgres://u@h/d?host=h1,h2&port=1,2", { hosts: ["h1:1", "h2:2"] }],
  ["postgres://u@h/d?dbname=e", { database: "e" }],
  ["postgres://u@h/d?sslmode=require", { mode: "require" }],
  ["postgres://u@h/d?ssl=true", { mode: "require" }],
  ["postgres://u@h/d?sslrootcert=system", { mode: "verify-full" }],
  ["postgres://u@h/d?sslmode=disable&sslmode=require", { mode: "require" }],
  ["postgres://u@h/d?application_name=shop%201", { applicationName: "shop 1" }],
  ["postgres://u@h/d?fallback_application_name=shop", { applicationName: "shop" }],
  ["postgres://u@h/d?options=endpoint%3Dep-cool-1", { options: "endpoint=ep-cool-1" }],
  ["postgres://u@h/d?options=-c%20search_path%3Dshop,public", { options: "-c search_path=shop,public" }],
  ["postgres://u@h/d?connect_timeout=2&keepalives_idle=30", { connectTimeoutS: 2, keepaliveIdleS: 30 }],
  ["postgres://u@h/d?keepalives=0", { keepaliveIdleS: 0 }],
  ["postgres://u@h/d?pgbouncer=true", { prepare: false }],
  ["postgres://u@h/d?prepare=true&statement_cache_size=0", { prepare: false }],
  ["postgres://u@h/d?target_session_attrs=read-write&gssencmode=disable&client_encoding=UTF8&sslsni=1", {
    prepare: true,
    notes: [],
  }],
  ["postgres://u@h/d?schema=public&uselibpqcompat=true&", { notes: [] }],
  ["postgres://u@h/d?sslmode=require&supa=base-pooler.x", {
    notes: ["supa is a mark of a provider's and changes nothing"],
  }],
];

for (const [text, wanted] of TAKEN) {
  Deno.test(`parsePostgresAddress() takes ${text.trim()}`, () => {
    const address = shown(parsePostgresAddress(text));
    const names = Object.keys(wanted) as (keyof typeof wanted)[];
    assertEquals(Object.fromEntries(names.map((name) => [name, address[name]])), wanted);
  });
}

const REFUSED: [text: string, naming: RegExp][] = [
  ["mysql://u:s3cret@h/d", /such as postgres:\/\//],
  ["s3cret", /such as postgres:\/\//],
  ['"postgres://u:s3cret@h/d"', /such as postgres:\/\//],
  ["postgres://u:s3cret#x@h/d", /%23/],
  ["postgres://u:s3cret@x@h/d", /%40/],
  ["postgres://u:s3cret?x@h/d", /%3F/],
  ["postgres://u:s3cret/x@h/d", /%2F/],
  ["postgres://u:s3cret x@h/d", /%20/],
  ["postgres://u:s3cret%ZZ@h/d", /the password has a %/],
  ["postgres://u:s3cret%@h/d", /the password has a %/],
  ["postgres://u:s3cret%00@h/d", /the password has a %/],
  ["postgres://u:s3cret%ff@h/d", /the password has a %/],
  ["postgres://h/d", /the user is missing/],
  ["postgres://u@h:s3cret/d", /the port of the host is no number/],
  ["postgres://u@h:70000/d", /the port of the host is no number/],
  ["postgres://u@h1:1,h2:0/d", /the port of host 2 of 2/],
  ["postgres://u@h1,,h2/d", /host 2 of 3 is no name/],
  ["postgres://u@[::zz]/d", /host/],
  ["postgres://u@::1/d", /no host:port/],
  ["postgres://u@h!/d", /the host is no name/],
  ["postgres://u@h,h:5432/d", /twice/],
  ["postgres://u@h1,h2,h3/d?port=1,2", /2 ports for 3 hosts/],
  ["postgres://u@h/d?sslmode=no-verify", /sslmode: expected disable, allow, prefer, require, verify-ca, verify-full/],
  ["postgres://u@h/d?sslmode=require&sslrootcert=system", /sslrootcert=system needs sslmode=verify-full/],
  ["postgres://u@h/d?sslcert=/c.pem", /sslcert and sslkey/],
  ["postgres://u@h/d?sslnegotiation=direct", /sslnegotiation=direct needs/],
  ["postgres://u@h/d?sslmode=disable&channel_binding=require", /channel_binding/],
  ["postgres://u@h/d?statement_timeout=5000", /statement_timeout is a setting of the server/],
  ["postgres://u@h/d?options=-c%20statement_timeout%3D5", /options: statement_timeout is a setting of the server/],
  ["postgres://u@h/d?options=--lock-timeout%3D5", /options: lock_timeout/],
  ["postgres://u@h/d?options=-clock_timeout%3D5", /options: lock_timeout/],
  ["postgres://u@h/d?options=-c%20search_path%3Da%20-W%205", /options: expected/],
  ["postgres://u@h/d?target_session_attrs=standby", /target_session_attrs: expected read-write/],
  ["postgres://u@h/d?connection_limit=5", /connection_limit can't be honoured: DATABASE_POOL_MAX/],
  ["postgres://u@h/d?connect_timeout=soon", /connect_timeout: expected a whole number/],
  ["postgres://u@h/d?gssencmode=require", /gssencmode: expected disable or prefer/],
  ["postgres://u@h/d?schema=shop", /schema: expected public/],
  ["postgres://u@h/d?passfile=/s3cret", /passfile can't be honoured/],
  ["postgres://u@h/d?hostaddr=1.2.3.4", /hostaddr can't be honoured/],
  ["postgres://u@h/d?tcp_user_timeout=5", /tcp_user_timeout can't be honoured/],
  ["postgres://u@h/d?sslcrl=/x", /sslcrl can't be honoured/],
  ["postgres://u@h/d?surprise=s3cret", /the parameter surprise is not known/],
  ["postgres://u:12?s3cret=1", /a parameter has a name that is not known|the user is missing|the host/],
  ["postgres://u@h/d?s3cret", /no =/],
];

for (const [text, naming] of REFUSED) {
  Deno.test(`parsePostgresAddress() refuses ${text}`, () => {
    const found = problems(text);
    assert(found.some((problem) => naming.test(problem)), found.join("; "));
    assert(text.includes("?s3cret=1") || !found.join().includes("s3cret"), found.join("; "));
  });
}

/** The parameters of libpq 18 (PostgreSQL manual, 34.1.2). */
const LIBPQ =
  "host hostaddr port dbname user password passfile require_auth channel_binding connect_timeout client_encoding " +
  "options application_name fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count " +
  "tcp_user_timeout replication gssencmode sslmode requiressl sslnegotiation sslcompression sslcert sslkey sslkeylogfile " +
  "sslpassword sslcertmode sslrootcert sslcrl sslcrldir sslsni requirepeer ssl_min_protocol_version " +
  "ssl_max_protocol_version min_protocol_version max_protocol_version krbsrvname gsslib gssdelegation scram_client_key " +
  "scram_server_key service servicefile target_session_attrs load_balance_hosts oauth_issuer oauth_client_id " +
  "oauth_client_secret oauth_scope";

Deno.test("parsePostgresAddress() knows every parameter of libpq, and refuses none without its name", () => {
  for (const name of LIBPQ.split(" ")) {
    try {
      parsePostgresAddress(`postgres://u@h/d?${name}=s3cret`);
    } catch (error) {
      assert(error instanceof AddressError);
      for (const problem of error.problems) {
        assert(!/not known/.test(problem) && !problem.includes("s3cret"), problem);
      }
      assert(error.message.includes(name) || /the (host|port)/.test(error.message), `${name}: ${error.message}`);
    }
  }
});

const SECRET = "s3cret";
/** What people have in passwords, raw. */
const rawPassword = fc.tuple(
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.string({ unit: fc.constantFrom(..."#@?/%:&=, []\\%2"), maxLength: 4 }),
).map(([a, b]) => `${a}${b}`);

Deno.test("parsePostgresAddress() shows no piece of a password, whatever stands raw in it", () => {
  fc.assert(fc.property(rawPassword, rawPassword, (before, behind) => {
    const given = `${before}${SECRET}${behind}`;
    try {
      const address = parsePostgresAddress(`postgres://u:${given}@h.example:5432/d?application_name=x`);
      assertEquals(address.password, decodeURIComponent(given));
      assertEquals(address.hosts.map(postgresHostText), ["h.example:5432"]);
    } catch (error) {
      assert(error instanceof AddressError, `${error}`);
      assert(!error.message.includes(SECRET), error.message);
    }
  }));
});

Deno.test("parsePostgresAddress() throws nothing but its own error, without the text, for any text", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom(..."/?#@:&=%[],.ahost") }),
      (a, b) => {
        const text = `postgres://${a}${SECRET}.${b}`;
        try {
          parsePostgresAddress(text);
        } catch (error) {
          assert(error instanceof AddressError, `${error}`);
          assert(!error.message.includes(SECRET) || new RegExp(`[?&]\\w*${SECRET}\\.\\w*=`).test(text), error.message);
        }
      },
    ),
  );
});

const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter((text) => !text.includes("\0"));
const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6().filter((text) => !text.includes("%")));

Deno.test("parsePostgresAddress() reads back what was encoded", () => {
  fc.assert(fc.property(
    fc.record({ user: word, password: word, database: word, name: word }),
    fc.uniqueArray(fc.tuple(host, fc.integer({ min: 1, max: 65_535 })), {
      minLength: 1,
      maxLength: 4,
      selector: String,
    }),
    ({ user, password, database, name }, hosts) => {
      const list = hosts.map(([host, port]) => `${host.includes(":") ? `[${host}]` : host}:${port}`);
      const unique = new Set(list.map((text) => text.toLowerCase()));
      fc.pre(unique.size === list.length);
      const e = percentEncoded;
      const text = `postgres://${e(user)}:${e(password)}@${list.join(",")}/${e(database)}?application_name=${e(name)}`;
      const address = parsePostgresAddress(text);
      assertEquals(shown(address).hosts, list.map((text) => text.toLowerCase()));
      assertEquals(
        [address.user, address.password, address.database, address.applicationName],
        [user, password, database, name],
      );
    },
  ));
});
