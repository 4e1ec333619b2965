/** When a renewed certificate comes into use, and what is said of one that can't. */
import { assert, assertEquals } from "@std/assert";
import { readKeyPair } from "../../src/tls/key_pair.ts";
import { type FilesRead, Renewal } from "../../src/tls/renewal.ts";
import * as pem from "../support/tls/pems.ts";

const HOUR_MS = 3600 * 1000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = Date.parse("2030-06-01T00:00:00Z");
const IN_USE = "the certificate in use";
const RENEWED = "a renewed certificate is in use for new connections";
const UNUSABLE = "the renewed certificate can't be used, and the one before it stays in use";
const AS_BEFORE = "the certificate's files hold what is in use";
const SOON = "the certificate expires soon, and its files hold no other";
const OVER = "the certificate has expired: clients refuse it";

const OLD = found(pem.CERTIFICATE, pem.KEY);
const NEW = found(pem.RENEWED, pem.RENEWED_KEY);
const TORN = found(pem.RENEWED, pem.KEY);
const LOOK = false;
const ASKED = true;

Deno.test("a renewed pair comes into use once, whether by a look or when somebody asks", () => {
  const renewal = begun(OLD);
  const rows: [FilesRead, boolean, used: string | undefined, said: string[]][] = [
    [OLD, LOOK, undefined, []],
    [NEW, LOOK, pem.RENEWED, [RENEWED]],
    [NEW, LOOK, undefined, []],
    [NEW, ASKED, undefined, [AS_BEFORE]],
    [OLD, ASKED, pem.CERTIFICATE, [RENEWED]],
    [OLD, LOOK, undefined, []],
  ];
  for (const [files, isAsked, used, said] of rows) {
    const step = renewal.take(files, isAsked, NOW_MS);
    assertEquals([step.use?.cert, step.said.map(({ message }) => message)], [used, said]);
  }
});

Deno.test("what can't serve stays out of use, and is said once: when two looks find it, or when somebody asks", () => {
  const renewal = begun(OLD);
  const garbage = found("garbage", pem.KEY);
  const expired = found(pem.EXPIRED, pem.KEY);
  const rows: [FilesRead, boolean, said: string[]][] = [
    // One file was replaced before the other.
    [TORN, LOOK, []],
    [NEW, LOOK, [RENEWED]],
    [garbage, LOOK, []],
    [garbage, LOOK, [UNUSABLE]],
    [garbage, LOOK, []],
    [garbage, ASKED, [UNUSABLE]],
    [garbage, LOOK, []],
    [expired, ASKED, [UNUSABLE]],
    [expired, LOOK, []],
    [TORN, LOOK, []],
    [expired, LOOK, []],
    [NEW, LOOK, []],
    [expired, ASKED, [UNUSABLE]],
    [NEW, LOOK, [AS_BEFORE]],
  ];
  for (const [files, isAsked, said] of rows) {
    const step = renewal.take(files, isAsked, NOW_MS);
    assertEquals(step.said.map(({ message }) => message), said);
    if ("problems" in files) assertEquals(step.use, undefined);
  }
  const [said] = renewal.take(TORN, ASKED, NOW_MS).said;
  assertEquals(said?.fields["problems"], ["TLS_key: the key is not that of the certificate"]);
});

Deno.test("an end that is near is said at the start and once a day, until the certificate is renewed", () => {
  const old = found(pem.CERTIFICATE, pem.KEY, 2.5);
  const renewal = begun(old);
  assertEquals(renewal.begin(NOW_MS).map(({ message }) => message), [IN_USE]);
  assertEquals(begun(old, []).begin(NOW_MS).map(({ message }) => message), [IN_USE, SOON]);
  const rows: [hours: number, FilesRead, said: string[]][] = [
    [23, old, []],
    [24, old, [SOON]],
    [25, TORN, []],
    [47, old, []],
    [48, old, [SOON]],
    [72, old, [OVER]],
    [73, NEW, [RENEWED]],
    [99, NEW, []],
  ];
  for (const [hours, files, said] of rows) {
    const step = renewal.take(files, LOOK, NOW_MS + hours * HOUR_MS);
    assertEquals(step.said.map(({ message }) => message), said, `after ${hours} h`);
  }
});

Deno.test("doubts are said with the certificate that has them", () => {
  const renewal = begun(OLD);
  const doubtful = found(pem.ISSUED + pem.CERTIFICATE, pem.KEY);
  const { said } = renewal.take(doubtful, LOOK, NOW_MS);
  assertEquals(said.map(({ level, fields }) => [level, fields["doubt"]]), [
    ["info", undefined],
    ["warn", "certificate 2 of 2 is not the issuer of the one before it"],
  ]);
  assertEquals(said[0]?.fields["daysLeft"], 60);
});

function begun(files: FilesRead, said = [IN_USE]): Renewal {
  assert("facts" in files);
  const renewal = new Renewal(files, ({ file, problem }) => `TLS_${file}: ${problem}`);
  if (said.length > 0) renewal.begin(NOW_MS);
  return renewal;
}

/** What the files contain; a pair that serves has so many days left of ninety. */
function found(cert: string, key: string, leftDays = 60): FilesRead {
  const read = readKeyPair({ cert, key }, NOW_MS, []);
  if ("problems" in read) return { ...read, content: cert + key };
  const validToMs = NOW_MS + leftDays * DAY_MS;
  return { ...read, facts: { ...read.facts, validFromMs: validToMs - 90 * DAY_MS, validToMs }, content: cert + key };
}
