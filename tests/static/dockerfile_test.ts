/** Dockerfile and .dockerignore: what can be known of them without an engine. */
import { assert, assertEquals } from "@std/assert";
import { validate } from "dockerfile-utils";
import { reachedBy, sourceText } from "../support/source_files.ts";

const TEXT = sourceText("Dockerfile");
/** Instructions without their comments, each on one line. */
const INSTRUCTIONS = TEXT.replaceAll(/^#.*\n/gm, "").replaceAll(/\\\n\s*/g, "").split("\n").filter((line) =>
  line !== ""
);
const { version } = JSON.parse(sourceText("deno.json"));
const LAST = INSTRUCTIONS.findLastIndex((line) => line.startsWith("FROM "));
const [BUILD, IMAGE] = [INSTRUCTIONS.slice(0, LAST), INSTRUCTIONS.slice(LAST)];
/** What is copied from the checkout. */
const SOURCES = INSTRUCTIONS.flatMap((line) => /^COPY (?!--from)(.+) \S+$/.exec(line)?.[1]?.split(" ") ?? []);

Deno.test("Dockerfile: each instruction is one, with the words that it takes", () => {
  assertEquals(validate(TEXT).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`), []);
  assert(validate(TEXT.replace("WORKDIR", "WORKDIRECTORY")).length > 0, "one that is not is found");
});

Deno.test("Dockerfile: what is copied is there, and nothing else is sent to whoever builds it", () => {
  for (const source of SOURCES) Deno.statSync(source);
  const [all, ...sent] = sourceText(".dockerignore").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assertEquals(all, "*");
  // What a folder brings needs no line of its own.
  const folders = SOURCES.filter((source) => Deno.statSync(source).isDirectory);
  const named = SOURCES.filter((source) => !folders.some((folder) => source.startsWith(`${folder}/`)));
  assertEquals(sent.sort(), [...new Set(named)].map((source) => `!${source}`).sort());
});

Deno.test("Dockerfile: the tools that build find all that they import among what is copied", () => {
  const reached = ["tools/console/main.ts", "tools/image/main.ts"].flatMap((tool) => [...reachedBy(tool)]);
  const missing = reached.filter((file) => !SOURCES.some((source) => file === source || file.startsWith(`${source}/`)));
  assertEquals(missing, []);
});

Deno.test("Dockerfile: packages are fetched before any source is copied", () => {
  const fetched = BUILD.indexOf("RUN deno install --frozen");
  const before = BUILD.slice(0, fetched).filter((line) => line.startsWith("COPY ")).join(" ");
  assert(fetched > 0 && !/\.ts\b|COPY src /.test(before), before);
  const { workspace } = JSON.parse(sourceText("deno.json"));
  for (const member of workspace) assert(before.includes(`${member.slice(2)}/deno.json`), member);
});

Deno.test("Dockerfile: the image has a user by number, no command that needs a shell, and what was laid out alone", () => {
  const given = (word: string) =>
    IMAGE.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  assertEquals(IMAGE[0], `FROM denoland/deno:distroless-${Deno.version.deno}`);
  const [allocator, ...copied] = given("COPY").toReversed();
  assertEquals(copied.toReversed(), ["--from=build /cache /deno-dir", "--from=build /app /app"]);
  // One that is not there would have the loader complain at each start.
  const preloaded = /(?<= LD_PRELOAD=)\S+/.exec(given("ENV").join(" "))?.[0];
  assertEquals(allocator, `--from=allocator /libjemalloc.so.2 ${preloaded}`);
  assertEquals(given("USER"), ["65532:65532"]);
  assertEquals(["RUN", "ENTRYPOINT", "CMD", "HEALTHCHECK", "SHELL"].flatMap(given), []);
  const labels = Object.fromEntries(
    [...given("LABEL").join(" ").matchAll(/org\.opencontainers\.image\.(\w+)="([^"]*)"/g)]
      .map(([, name, value]) => [name, value]),
  );
  assertEquals(Object.keys(labels).sort(), ["description", "licenses", "revision", "title", "version"]);
  assertEquals([labels["version"], labels["licenses"]], [version, "Apache-2.0"]);
});

Deno.test("Dockerfile: the stages with Deno have that of this repository, and builds run on the machine's own processor", () => {
  const bases = INSTRUCTIONS.filter((line) => line.startsWith("FROM "));
  assertEquals(bases, [
    `FROM --platform=$BUILDPLATFORM denoland/deno:${Deno.version.deno} AS build`,
    "FROM --platform=$BUILDPLATFORM debian:bookworm-slim AS allocator",
    `FROM denoland/deno:distroless-${Deno.version.deno}`,
  ]);
});
