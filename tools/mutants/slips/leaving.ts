/** Slips in how a process leaves, and in how connections that are old do. */
import type { Slip } from "../plant.ts";

const AGE = { file: "src/transport/connection_age.ts", tests: ["tests/unit/connection_age_test.ts"] };
const CONNECTIONS = { file: "src/transport/connections.ts", tests: ["tests/integration/connection_age_test.ts"] };
const BOARD = { file: "src/health/board.ts", tests: ["tests/unit/health_test.ts"] };

export const LEAVING_SLIPS: readonly Slip[] = [
  {
    ...AGE,
    find: "(1 - JITTER * random)",
    replace: "(1 + JITTER * random)",
    rule: "no connection gets older than it may",
  },
  {
    ...AGE,
    find: "return isHeard && !isClosing ?",
    replace: "return !isClosing ?",
    rule: "who has not heard of it yet has its streams taken",
  },
  {
    ...CONNECTIONS,
    find: "    out!.writes.askToLeave();\n",
    replace: "    http2.close();\n",
    rule: "what was sent before the peer heard of it is served",
  },
  {
    ...CONNECTIONS,
    find: "if (carrier !== undefined) endStreams(carrier);",
    replace: "",
    rule: "streams end with their connection",
  },
  {
    file: "src/transport/reaper.ts",
    find: " && isStayedOn(carrier)",
    replace: " && false",
    rule: "a connection is not cut under a stream that has given nothing to go on from",
    tests: CONNECTIONS.tests,
  },
  {
    file: "src/transport/http2/open_session.ts",
    find: " && !session.destroyed",
    replace: "",
    rule: "nothing is asked of a session that has ended",
    tests: ["tests/integration/listener_ended_session_test.ts"],
  },
  {
    file: "src/transport/admission.ts",
    find: " || connection.leavingSince !== undefined",
    replace: "",
    rule: "an HTTP/1 answer says that its connection ends",
    tests: CONNECTIONS.tests,
  },
  {
    ...BOARD,
    find: "    if (this.#leaving ||",
    replace: "    if (this.#closed ||",
    rule: "who leaves is not ready again",
  },
];
