/**
 * The walks of README.md and docs/walk.md, run as they stand there: each block of shell, and the answers shown below
 * it. The ports are all that is replaced. In an answer `…` stands for what differs from run to run, and for nothing
 * that counts.
 */
import { assert, assertEquals } from "@std/assert";
import { stepsOf, walk } from "../support/page_walk.ts";
import { sourceText } from "../support/source_files.ts";
import { serverTest } from "../support/server.ts";

const PORT = "127.0.0.1:8080";
const ADMIN = "http://127.0.0.1:8081";
const RUN_MS_MAX = 150_000;

for (const [page, blocksMin] of [["README.md", 2], ["docs/walk.md", 11]] as const) {
  serverTest(`the walk of ${page} is answered as it says`, {}, async (server) => {
    const steps = stepsOf(sourceText(page));
    assert(steps.length >= blocksMin, `${steps.length} blocks of shell`);
    assert(steps.some(({ shell }) => shell.includes(PORT)), `${page} does not speak of ${PORT}`);
    const written = await walk(steps, {
      change: (shell) => shell.replaceAll(PORT, `127.0.0.1:${server.port}`).replaceAll(ADMIN, server.adminUrl),
      msMax: RUN_MS_MAX,
    });
    const sales = (written[page === "README.md" ? 0 : 2] ?? "").split("\n").filter((line) => line.includes('"soldAt"'));
    const replayed = sales[0]?.replace('"replayed":false', '"replayed":true');
    assertEquals(replayed, sales[1], "the same order sent again is answered the same, letter by letter");
  });
}
