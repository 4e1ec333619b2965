/**
 * Words that are out of use, and words that mean one thing (docs/glossary.md): each with what is said instead and,
 * where it may stand somewhere, the rooms that it stays out of. Generated code is free, and so is the changelog, which
 * says what once was.
 */
import { assert, assertEquals } from "@std/assert";
import { sourceFiles, sourceText } from "../support/source_files.ts";

interface Word {
  readonly word: RegExp;
  readonly instead: string;
  /** The rooms that it stays out of; everywhere where there is none. Others may speak of what it means by right. */
  readonly rooms?: readonly string[];
}

/** Of what the wire and the log say these are parts, which stay as they are. */
const AS_ANSWERED = /held by someone else|held for longer|server tells no uptime|dbmate is told/i;

const WORDS: readonly Word[] = [
  { word: /let(s|ting)? go\b|letGo/i, instead: "release; of other things: end, leave, free" },
  { word: /\b(kept|keeps) leases?\b|keptLease/i, instead: "lease cache" },
  { word: /\bwanted marks?\b|wantedMark/i, instead: "waiter hint" },
  { word: /\bdoubtful votes?\b|doubtfulVote/i, instead: "orphaned key" },
  { word: /\bmutex/i, instead: "lease, lock" },
  { word: /readBook\b|\b(the|of|these) books\b|\bTallyBook\b/, instead: "snapshot; of the bench: stock, ledger" },
  { word: /\bweather\b/i, instead: "transient failure, retryable error" },
  { word: /\bbreaths?\b/i, instead: "turn, tick" },
  { word: /\boverstay\w*/i, instead: "overdue" },
  { word: /\buntaken\b/i, instead: "unread answers" },
  { word: /\bcrowd(s|ed)?\b/i, instead: "contended; of connections: many" },
  { word: /\blacked\b/i, instead: "missing" },
  { word: /\bunbound\b/i, instead: "keyless" },
  { word: /\bgreet(s|ed)?\b/i, instead: "handshake" },
  {
    word: /(?<!tools\/)\bgates?\b/i,
    instead: "check, admission, latch; the gate is what `deno task static` runs",
    rooms: ["src/", "bench/", "tests/attacks/", "tests/e2e/", "tests/faults/", "tests/unit/"],
  },
  { word: /\b(interface|type) Outcome\b/, instead: "what it is the end of; an outcome is a write's" },
  {
    word: /\b(holds?|holding|holders?|held)\b/i,
    instead: "have, keep, contain, lock; a hold is a buyer's",
    rooms: [
      ...["base/", "config/", "lanes/", "lock/", "migrate/", "process/", "rpc/", "telemetry/", "transport/"]
        .map((room) => `src/${room}`),
      ...["src/workers/", "tests/attacks/", "tests/clients/"],
      // The demo of `up` has buyers.
      ...["tools/stack/", "tools/test/", "tools/gate/", "tools/up/main.ts", "tools/up/own_certificate.ts"],
    ],
  },
  {
    word: /\b([Tt]old|[Tt]ells?|[Tt]elling)\b|[a-z](Told|Tell)|\b(told|tell)[A-Z]|TOLD|TELL/,
    instead: "report, answer, say, distinguish, know",
  },
  {
    word: /(?<!under )\bways?\b/i,
    instead: "mode; of other things: manner, path",
    rooms: [
      ...[
        "base/",
        "health/",
        "inventory/",
        "lanes/",
        "lock/",
        "migrate/",
        "process/",
        "rpc/",
        "services/",
        "telemetry/",
      ]
        .map((room) => `src/${room}`),
      ...["src/tls/", "src/transport/", "src/workers/", "tests/attacks/", "tests/clients/", "tests/faults/"],
      ...["tests/integration/", "tests/support/", "tests/unit/", "tools/"],
    ],
  },
];

/** This list is made of them. */
const OWN = "tests/static/words_test.ts";

Deno.test("words that are out of use stay out of use", () => {
  const found = textFiles().flatMap((file) =>
    WORDS.filter(({ rooms = [""] }) => rooms.some((room) => file.startsWith(room))).flatMap(({ word, instead }) =>
      sourceText(file).split("\n").flatMap((line, i) =>
        word.test(line) && !AS_ANSWERED.test(line)
          ? [`${file}:${i + 1}: "${word.exec(line)?.[0]}": say ${instead}`]
          : []
      )
    )
  );
  assertEquals(found, []);
});

Deno.test("the glossary knows no word that is out of use", () => {
  const defined = [...sourceText("docs/glossary.md").matchAll(/^\| ([a-z][\w ,]*?) +\|/gm)].map(([, words]) => words!);
  assert(defined.length > 20, `${defined.length} words`);
  const retired = defined.filter((words) => WORDS.some(({ word, rooms }) => rooms === undefined && word.test(words)));
  assertEquals(retired, []);
});

function textFiles(): string[] {
  const programs = ["src/", "tools/", "bench/", "tests/"].flatMap((folder) => sourceFiles(folder));
  const pages = [...Deno.readDirSync("docs")].map(({ name }) => `docs/${name}`).filter((path) => path.endsWith(".md"));
  return [...programs, ...pages, "README.md", "CONTRIBUTING.md"].filter((path) => path !== OWN);
}
