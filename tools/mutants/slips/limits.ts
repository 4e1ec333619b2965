/** Slips in whose a call is that came through proxies, and in the limits of calls. */
import type { Slip } from "../plant.ts";

const PROXIES = { file: "src/transport/trusted_proxies.ts", tests: ["tests/unit/trusted_proxies_test.ts"] };
const WIRE = ["tests/integration/trusted_proxies_test.ts"];
const PRESSURE = { file: "src/limits/pressure.ts", tests: ["tests/unit/pressure_test.ts"] };
const CALLS = { file: "src/limits/call_limits.ts", tests: ["tests/unit/identity_limits_test.ts"] };
const UNREAD = ["tests/integration/listener_unread_socket_test.ts"];
const HTTP1_UNREAD = ["tests/integration/listener_unread_http1_test.ts"];
const WAIT = ["tests/unit/expected_wait_test.ts"];

export const LIMITS_SLIPS: readonly Slip[] = [
  {
    ...PROXIES,
    find: "      if (!this.#isTrusted(address)) break;\n",
    replace: "",
    rule: "what stands left of the first address that is no proxy of ours is not believed",
  },
  {
    ...PROXIES,
    find: "      if (address === undefined) break;\n",
    replace: "      if (address === undefined) continue;\n",
    rule: "what is no address ends the list",
  },
  {
    ...PROXIES,
    find: `const value = fields[header] ?? "";`,
    replace: `const value = fields[header] ?? fields.forwarded ?? "";`,
    rule: "the header that was not chosen is not looked at",
  },
  {
    ...PROXIES,
    find: `text[at] === "," && !isQuoted`,
    replace: `text[at] === ","`,
    rule: "a comma in a quoted string ends no element",
  },
  {
    file: "src/transport/addresses.ts",
    find: "return isLoopback(key) ? `forwarded ${key}` : key;",
    replace: "return key;",
    rule: "what was passed on is never this machine's own",
    tests: PROXIES.tests,
  },
  {
    file: "src/transport/peers.ts",
    find: "isLoopback(peer.key) && isForwarded(fields) ?",
    replace: "peer.proxy !== undefined ?",
    rule: "nor is what a proxy passed on that nobody named",
    tests: PROXIES.tests,
  },
  {
    file: "src/transport/peers.ts",
    find: " || this.#byKey.get(peer.key) !== peer",
    replace: "",
    rule: "who left late does not take the place of who came since",
    tests: PROXIES.tests,
  },
  {
    file: "src/config/proxies.ts",
    find: "network.bits === 0 || ENDS.every((end) => isInNetwork(end, network))",
    replace: "network.bits === 0",
    rule: "everybody is no proxy",
    tests: PROXIES.tests,
  },
  {
    file: "src/transport/connections.ts",
    find: "const ownMax = peer.proxy === undefined ? this.limits.connectionsPerAddressMax : Infinity;",
    replace: "const ownMax = this.limits.connectionsPerAddressMax;",
    rule: "a proxy has all connections",
    tests: WIRE,
  },
  {
    file: "src/transport/connections.ts",
    find: "const ownMax = peer.proxy === undefined ? this.limits.unreadPerAddressBytesMax : Infinity;",
    replace: "const ownMax = this.limits.unreadPerAddressBytesMax;",
    rule: "what a proxy does not take counts for its connections",
    tests: WIRE,
  },
  {
    file: "src/transport/connections.ts",
    find: `passed === "resetsPerAddressMax" || (passed !== undefined && peer !== connection.peer)`,
    replace: `passed === "resetsPerAddressMax"`,
    rule: "who passes the resets of all through a proxy is barred too",
    tests: WIRE,
  },
  {
    file: "src/transport/admission.ts",
    find: "peer !== connection.peer && performance.now() < peer.barredUntil",
    replace: "peer !== connection.peer && peer.barredUntil < 0",
    rule: "who resets too often through a proxy is refused for a while",
    tests: WIRE,
  },
  {
    file: "src/transport/admission.ts",
    find: "    if (connection.peer.proxy !== undefined) {\n",
    replace: "    if (connection.peer.proxy === null) {\n",
    rule: "and nobody else on the proxy's connection",
    tests: WIRE,
  },
  {
    ...PRESSURE,
    find: "this.#lateMs.length < LOOKS ? 0 : Math.min(...this.#lateMs)",
    replace: "this.#lateMs.length < LOOKS ? 0 : Math.max(...this.#lateMs)",
    rule: "a long turn is no overload",
  },
  {
    ...PRESSURE,
    find: "isOperators ? this.#value - 1 :",
    replace: "isOperators ? this.#value - 0.5 :",
    rule: "operators are shed last",
  },
  {
    ...PRESSURE,
    find: "BY_RISE * rise",
    replace: "0 * rise",
    rule: "what is shed settles and does not swing",
  },
  {
    ...CALLS,
    find: "if (right === undefined || right === ANYONE) return undefined;",
    replace: "if (right === undefined) return undefined;",
    rule: "what anybody may ask has no limit",
    tests: ["tests/unit/identity_limits_test.ts", "tests/integration/call_limits_test.ts"],
  },
  {
    ...CALLS,
    find: "refused ?? (isGone ? undefined : this.#limit(head))",
    replace: "refused ?? this.#limit(head)",
    rule: "who has gone before it was known who it is has no place",
  },
  {
    ...CALLS,
    find: "const caller = identity && `${identity.kind} ${identity.name}`;",
    replace: "const caller = identity?.name;",
    rule: "a key and a token of one name are two",
  },
  {
    file: "src/limits/stream_places.ts",
    find: "if (own >= this.bounds.identityMax)",
    replace: "if (own > this.bounds.identityMax)",
    rule: "streams of one identity are so many",
    tests: CALLS.tests,
  },
  {
    file: "src/limits/identity_limits.ts",
    find: "    if (this.#known.size <= this.identitiesMax) return;\n",
    replace: "    if (this.#known.size >= 0) return;\n",
    rule: "no more identities are known than there may be",
    tests: CALLS.tests,
  },
  {
    file: "src/lanes/pace.ts",
    find: "Math.min(this.#latestMs, this.#beforeMs)",
    replace: "Math.max(this.#latestMs, this.#beforeMs)",
    rule: "one batch that was slow by chance says nothing of those that come",
    tests: WAIT,
  },
  {
    file: "src/lanes/goods_lanes.ts",
    find: "lane.known - (lane.busy ? entriesMax : 0)",
    replace: "lane.known",
    rule: "only batches that have not begun count",
    tests: WAIT,
  },
  {
    file: "src/lanes/goods_lanes.ts",
    find: "areNew && this.#widest === 1 ?",
    replace: "areNew ?",
    rule: "lanes that one order takes at once are no rounds of their own",
    tests: WAIT,
  },
  {
    file: "src/lanes/failure.ts",
    find: "remainingMs === undefined || waitMs <= remainingMs",
    replace: "remainingMs === undefined || 2 * waitMs <= remainingMs",
    rule: "nothing is refused that might be done in time",
    tests: WAIT,
  },
  {
    file: "src/lanes/lanes.ts",
    find: "      if (tooShort !== undefined) return this.#refuse(operation, tooShort);\n",
    replace: "",
    rule: "whose deadline passes before its turn is refused at once",
    tests: ["tests/integration/lanes_capacity_test.ts"],
  },
  {
    file: "src/transport/http2/exchange.ts",
    find: "this.out.unread.closed(this.#unreadBytes);",
    replace: "this.out.unread.remove(this.#unreadBytes);",
    rule: "what waits in the socket is unread, though its stream has closed",
    tests: UNREAD,
  },
  {
    file: "src/transport/protocols.ts",
    find: "bytes += exchange.keptBytes;",
    replace: "bytes += 0;",
    tests: HTTP1_UNREAD,
    rule: "what node:http keeps of pipelined answers is unread",
  },
  {
    file: "src/transport/connections.ts",
    find: "      connection.out?.unread.end();\n",
    replace: "",
    rule: "a connection that is gone has nothing unread",
    tests: UNREAD,
  },
  {
    file: "src/transport/reaper.ts",
    find: "connection.out.writes.stuckMs(now) > limits.responseMs",
    replace: "false",
    rule: "a connection that is not read is cut",
    tests: UNREAD,
  },
  {
    file: "src/transport/admission.ts",
    find: '    if (connection.out?.unread.isFlooded) return "unreadAnswerBytesMax";\n',
    replace: "",
    rule: "headers that nobody reads are bounded",
    tests: UNREAD,
  },
  {
    file: "src/transport/http2/windows.ts",
    find: "    this.#waiting.clear();\n",
    replace: "",
    rule: "who waits is woken once, however often windows open",
    tests: ["tests/unit/stream_windows_test.ts"],
  },
];
