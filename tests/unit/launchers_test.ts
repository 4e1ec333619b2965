/** Tests of the pure parts of the launchers: what they read from test summaries, what they permit, what they print. */
import { assert, assertEquals } from "@std/assert";
import { loadConfig } from "../../src/config/config.ts";
import { CONSOLE_DIR } from "../../src/config/console_dir.ts";
import { gathererFlags, serverFlags } from "../../src/config/flags.ts";
import { callersArgument, callersOf } from "../../src/process/callers.ts";
import { callersCount } from "../../src/process/find_callers.ts";
import { count, failuresOf } from "../../tools/test/test_run.ts";
import { linesToPaste, reachableUrl } from "../../tools/up/up_lines.ts";

Deno.test("count() reads the last summary, and counts a run that broke without one as a failure", () => {
  const rows: [string, boolean, { passed: number; failed: number }][] = [
    ["ok | 28 passed | 0 failed (657ms)\n", true, { passed: 28, failed: 0 }],
    ["x ... ok\n\nFAILED | 9 passed (3 steps) | 10 failed (1 step) | 2 ignored (4s)\n", false, {
      passed: 9,
      failed: 10,
    }],
    ["ok | 1 passed | 0 failed (1ms)\nnoise\nok | 2 passed | 0 failed | 1 filtered out (1ms)", true, {
      passed: 2,
      failed: 0,
    }],
    ["", false, { passed: 0, failed: 1 }],
    ["ok | 3 passed | 0 failed (1ms)\n", false, { passed: 3, failed: 1 }],
  ];
  for (const [output, success, wanted] of rows) assertEquals(count(output, success), wanted, output);
});

Deno.test("failuresOf() is what is said from the errors on, or else last, and no more than a reader takes", () => {
  const errors =
    "\n ERRORS \n\nit sells => ./sell_test.ts:3:6\nerror: too few\n\n FAILURES \n\nFAILED | 1 passed | 1 failed\n";
  assertEquals(failuresOf(`it buys ... ok\n${errors}`), errors.slice(1));
  assertEquals(failuresOf("error: Module not found"), "error: Module not found");
  const long = "x".repeat(5_000);
  assertEquals(failuresOf(`begin${long}`), long);
  assertEquals(failuresOf(`ok\n ERRORS \n${long}${long}`), ` ERRORS \n${long}`.slice(0, 5_000));
});

Deno.test("serverFlags() permits the listener and the stores by host and port, and each file that is read", () => {
  const env: Record<string, string> = {
    HOST: "127.0.0.1",
    PORT: "8443",
    DATABASE_URL: "postgres://holdfast_server:secret@db.example/holdfast",
    REDIS_URLS: "redis://127.0.0.1:7001,rediss://cache.example,redis://127.0.0.1:7003",
    TLS_CERT_FILE: "/etc/tls/cert.pem",
    TLS_KEY_FILE: "/etc/tls/key.pem",
  };
  const flags = serverFlags(loadConfig((name) => env[name]));
  assert(flags.includes(
    "--allow-net=127.0.0.1:8443,127.0.0.1:8081,db.example:5432,127.0.0.1:7001,cache.example:6379,127.0.0.1:7003",
  ));
  assert(flags.includes(`--allow-read=/dev/null,/etc/tls/cert.pem,/etc/tls/key.pem,${CONSOLE_DIR}`));
  const kinds = flags.map((flag) => flag.split("=")[0]).sort();
  const permissions = ["--allow-env", "--allow-net", "--allow-read", "--allow-sys", "--ignore-env", "--no-prompt"];
  assertEquals(kinds, [...permissions, "--v8-flags"]);
  assert(!flags.join(" ").includes("secret"));
});

Deno.test("gathererFlags() permits the admin ports of the workers, and nothing else", () => {
  const admin = { host: "127.0.0.1", port: 8081, isGiven: false };
  assertEquals(gathererFlags(admin, 2), [
    "--no-prompt",
    "--allow-net=127.0.0.1:8081,127.0.0.1:8082,127.0.0.1:8083",
    "--allow-sys=hostname",
    "--ignore-env",
  ]);
  // Any port of that host, as nobody knows them before.
  assert(gathererFlags({ ...admin, port: 0 }, 2).includes("--allow-net=127.0.0.1"));
});

Deno.test("serverFlags() permits every host of a list, IPv6 in brackets, sockets and certificates", () => {
  const ca = "/etc/tls/a,b.pem";
  const env: Record<string, string> = {
    HOST: "[::1]",
    DATABASE_URL:
      `postgres://u:secret@pg-1,[2001:db8::7]:6000/d?sslmode=verify-full&sslrootcert=${ca}&application_name=x`,
    CONCURRENCY: "row",
  };
  const flags = serverFlags(loadConfig((name) => env[name]));
  assert(flags.includes("--allow-net=[::1]:8080,127.0.0.1:8081,pg-1:5432,[2001:db8::7]:6000"), flags.join(" "));
  assert(flags.includes(`--allow-read=/dev/null,/etc/tls/a,,b.pem,${CONSOLE_DIR}`), flags.join(" "));
  env["DATABASE_URL"] = "postgres://u@/d?host=/run/postgresql";
  const socket = "/run/postgresql/.s.PGSQL.5432";
  const others = serverFlags(loadConfig((name) => env[name]));
  for (
    const flag of [
      `--allow-net=[::1]:8080,127.0.0.1:8081,unix:${socket}`,
      `--allow-read=/dev/null,${socket},${CONSOLE_DIR}`,
      `--allow-write=${socket}`,
    ]
  ) {
    assert(others.includes(flag), others.join(" "));
  }
});

Deno.test("linesToPaste() speaks cleartext HTTP/2 or TLS, as the server does", () => {
  const [first, ...others] = linesToPaste("http://127.0.0.1:8080");
  assertEquals(
    first,
    'npx -y @bufbuild/buf@1.74.0 curl --protocol grpc --http2-prior-knowledge -d \'{"goodsId":42,"num":10}\' ' +
      "http://127.0.0.1:8080/inventory.v1.InventoryService/SetInv",
  );
  assertEquals(others.length, 2);
  assert(linesToPaste("https://127.0.0.1:8443").every((line) => !line.includes("prior-knowledge")));
  const trusting = (path: string) => /--cacert (.*) -d /.exec(linesToPaste("https://127.0.0.1:8443", path)[0]!)?.[1];
  assertEquals(trusting("/data/tls/certificate.pem"), "/data/tls/certificate.pem");
  const withKey = linesToPaste("http://127.0.0.1:8080", undefined, "hf_abc_def");
  const credentials = " --http2-prior-knowledge -H 'authorization: Bearer hf_abc_def' --reflect-header '*' -d '";
  assert(withKey.every((line) => line.includes(credentials)), withKey.join("\n"));
  assertEquals(trusting("/my data/it's/certificate.pem"), "'/my data/it'\\''s/certificate.pem'");
});

Deno.test("reachableUrl() names this machine where a server listens at all of its addresses", () => {
  const urls = ["http://0.0.0.0:8080", "https://[::]:8443", "http://10.0.0.0:80", "https://stock.example:8443"];
  assertEquals(urls.map(reachableUrl), ["http://127.0.0.1:8080", "https://[::1]:8443", ...urls.slice(2)]);
});

Deno.test("callersCount() distinguishes what stands between the user and a program from the user's own shells", () => {
  const task = "deno task start";
  const npx = [task, "sh -c 'deno' task start", "npm exec deno@2.9.3 task start"];
  const rows: [lines: string[], count: number][] = [
    [[], 0],
    [["bash", "sshd"], 0],
    [[task, "-bash"], 1],
    [["/usr/local/bin/deno task start", "zsh"], 1],
    [[...npx, "bash run.sh"], 3],
    [[...npx, "/bin/sh -c npx -y deno@2.9.3 task start", "python3 harness.py"], 4],
    [["deno task up", "node /usr/bin/npx -y deno@2.9.3 task up", "bash"], 2],
    // They start it and go on.
    [[...npx, "sh -c nohup npx -y deno@2.9.3 task start & sleep 1"], 3],
    [[...npx, "bash -c cd /srv && npx -y deno@2.9.3 task start"], 3],
    [[...npx, "bash -c npx -y deno@2.9.3 task start | tee log"], 3],
  ];
  for (const [lines, wanted] of rows) assertEquals(callersCount(lines), wanted, lines.join(" <- "));
});

Deno.test("callersOf() reads what callersArgument() writes, and nothing else", () => {
  assertEquals(callersOf(["--port", callersArgument([31, 30])]), [31, 30]);
  for (const args of [[], ["--callers="], ["31"], ["--callers=x,-1,0"]]) assertEquals(callersOf(args), []);
});
