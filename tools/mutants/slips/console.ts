/** Slips in how the page for browsers is served, in its link to the server, and in what it reads and sends anew. */
import type { Slip } from "../plant.ts";

const SITE = { file: "src/site/answers.ts", tests: ["tests/unit/console_route_test.ts"] };
const STREAM = { file: "src/console/link/live_stream.ts", tests: ["tests/unit/console_live_stream_test.ts"] };
const RETRIES = { file: "src/console/link/retries.ts", tests: ["tests/unit/console_retries_test.ts"] };
const KEYED = {
  file: "src/console/link/keyed_transport.ts",
  tests: ["tests/unit/console_keyed_transport_test.ts"],
};
const PACER = { file: "src/console/parts/pacer.ts", tests: ["tests/unit/console_pacer_test.ts"] };
const NAMES = { file: "src/console/parts/goods_names.ts", tests: ["tests/unit/console_goods_names_test.ts"] };

export const CONSOLE_SLIPS: readonly Slip[] = [
  {
    ...NAMES,
    find: "(last.goodsIds.length + 1) * locations > ROWS_MAX",
    replace: "last.goodsIds.length + 1 > ROWS_MAX",
    rule: "a request for names is answered on one page",
  },
  {
    file: "src/console/one_goods/place.ts",
    find: "locationId > knownTo ? await readLevel(link, goodsId, locationId) : undefined",
    replace: "undefined",
    rule: "a goods is found behind its first thousand locations",
    tests: NAMES.tests,
  },
  {
    file: "src/console/goods/kept_edits.ts",
    find: "caller === undefined ? link : JSON.stringify([caller.kind, caller.name])",
    replace: "JSON.stringify([caller?.kind, caller?.name])",
    rule: "of callers without a name nobody gets the edits of another",
    tests: ["tests/unit/console_goods_table_test.ts"],
  },
  {
    ...SITE,
    find: "if (!isOwnHost(host)) return",
    replace: "if (false) return",
    rule: "there is no page under a name that may be somebody else's",
  },
  {
    ...SITE,
    find: "const isPacked = file.packed !== undefined && takesGzip",
    replace: "const isPacked = file.packed !== undefined || takesGzip",
    rule: "gzip is for who takes it",
  },
  {
    ...STREAM,
    find: "if (this.#failures > 1) await",
    replace: "if (this.#failures > 0) await",
    rule: "a stream that broke is dialled again at once",
  },
  {
    ...STREAM,
    find: "> STEADY_MS) this.#failures = 0;",
    replace: "> 0 || true) this.#failures = 0;",
    rule: "what does not last is not dialled as fast as it goes",
  },
  {
    ...STREAM,
    find: "after(this.#silenceMsMax, () => attempt.abort())",
    replace: "after(10 * this.#silenceMsMax, () => attempt.abort())",
    rule: "a stream that is silent for 2.5 heartbeats is given up",
  },
  {
    ...STREAM,
    find: `if (start !== WatchStart.RESUMED) this.options.emit`,
    replace: `if (start === WatchStart.NOW) this.options.emit`,
    rule: "what may have been missed is read anew",
  },
  {
    ...RETRIES,
    find: "reason === OUTCOME_UNKNOWN",
    replace: `reason === ""`,
    rule: "what may have been done is not sent again by itself",
  },
  {
    ...KEYED,
    find: "if (!isRead) throw error;",
    replace: "",
    rule: "what changes stock and was refused is not sent by another key by itself",
  },
  {
    ...KEYED,
    find: "if (transport === this.#now) {",
    replace: "{",
    rule: "a key that is in use is not refused by what the one before was sent with",
  },
  {
    ...PACER,
    find: "if (this.#failures > 0 && stops === this.#stops) this.#again",
    replace: "if (false) this.#again",
    rule: "what a busy moment has kept from a page is read again by itself",
  },
  {
    ...PACER,
    find: "this.#failures > 0 && stops === this.#stops",
    replace: "this.#failures > 0",
    rule: "who leaves while a reading fails asks nothing more",
  },
  {
    file: "src/console/goods/edit_session.ts",
    find: "answered.version > row.version ? { ...row, ...answered } : row",
    replace: "answered.version > row.version ? row : row",
    rule: "who goes on before the list has heard of what was applied goes on from that",
    tests: ["tests/unit/console_goods_table_test.ts"],
  },
  {
    file: "src/console/goods/edit_sheet.ts",
    find: "if (row.version < edit.seen.version) return;",
    replace: "",
    rule: "a change of before what was seen is none",
    tests: ["tests/unit/console_goods_edits_test.ts"],
  },
];
