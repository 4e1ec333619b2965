/** Whose a call is that came through proxies, and what is an address or a network. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ipAddress, ipNetwork, ipText, isInNetwork } from "../../src/base/ip_address.ts";
import { ConfigError, loadConfig } from "../../src/config/config.ts";
import { addressKey, isLoopback } from "../../src/transport/addresses.ts";
import { Peers } from "../../src/transport/peers.ts";
import { PROXIES_MAX, TrustedProxies } from "../../src/transport/trusted_proxies.ts";

const PROXY = "10.0.0.7";
const load = (settings: Record<string, string>) => loadConfig((name) => settings[name]);
const proxies = (list = "10.0.0.0/8,2001:db8:ffff::/48,127.0.0.1,::1", header = "x-forwarded-for") =>
  new TrustedProxies(load({ TRUSTED_PROXIES: list, TRUSTED_PROXIES_HEADER: header }).trustedProxies);

Deno.test("X-Forwarded-For: the right-most address that is no proxy of ours, whatever stands left of it", () => {
  for (
    const [value, key] of [
      [undefined, PROXY],
      ["", PROXY],
      ["203.0.113.5", "203.0.113.5"],
      [" 203.0.113.5 ", "203.0.113.5"],
      ["198.51.100.1, 203.0.113.5", "203.0.113.5"],
      ["203.0.113.5, 10.1.2.3", "203.0.113.5"],
      ["203.0.113.5,10.1.2.3,10.0.0.1", "203.0.113.5"],
      ["127.0.0.1, 203.0.113.5", "203.0.113.5"],
      ["10.9.9.9, 203.0.113.5", "203.0.113.5"],
      ["<script>, 203.0.113.5", "203.0.113.5"],
      // Mapped, in capitals, with a port, in brackets.
      ["::ffff:203.0.113.5", "203.0.113.5"],
      ["::FFFF:CB00:7105", "203.0.113.5"],
      ["203.0.113.5:50123", "203.0.113.5"],
      ["2001:DB8:1:2:3::4", "2001:db8:1:2::/64"],
      ["[2001:db8:1:2::4]", "2001:db8:1:2::/64"],
      ["[2001:db8:1:2::4]:50123", "2001:db8:1:2::/64"],
      ["203.0.113.5, 2001:db8:ffff::9", "203.0.113.5"],
      // All are ours: the first of them.
      ["10.1.2.3, 10.0.0.1", "10.1.2.3"],
      // What is no address ends the list.
      ["unknown", PROXY],
      ["203.0.113.5, unknown", PROXY],
      ["203.0.113.5, unknown, 10.1.2.3", "10.1.2.3"],
      ["203.0.113.5, ", PROXY],
      ["203.0.113.5.1", PROXY],
      ["203.0.113.5/24", PROXY],
      ["0x7f.1", PROXY],
      ["fe80::1%eth0", PROXY],
      ["203.0.113.5:99999999", PROXY],
      ["localhost", PROXY],
      // Never what only this machine may do.
      ["127.0.0.1", "forwarded 127.0.0.1"],
      ["::1, 10.1.2.3", "forwarded ::1"],
      ["127.8.8.8", "forwarded 127.8.8.8"],
    ] as const
  ) assertEquals(proxies().callerKey(PROXY, { "x-forwarded-for": value, forwarded: "6.6.6.6" }), key, `${value}`);
  assertEquals(proxies().callerKey(PROXY, { "x-forwarded-for": ["198.51.100.1", "203.0.113.5"] }), "203.0.113.5");
});

Deno.test("Forwarded: the `for` of the right-most element that is no proxy of ours", () => {
  const of = (value: string) => proxies(undefined, "forwarded").callerKey(PROXY, { forwarded: value });
  for (
    const [value, key] of [
      ["for=203.0.113.5", "203.0.113.5"],
      ["For=203.0.113.5;proto=https;by=10.0.0.7", "203.0.113.5"],
      ["proto=https ; for=203.0.113.5", "203.0.113.5"],
      ['for="203.0.113.5:443"', "203.0.113.5"],
      ['for="[2001:db8:1:2::4]:443"', "2001:db8:1:2::/64"],
      ["for=198.51.100.1, for=203.0.113.5, for=10.0.0.9", "203.0.113.5"],
      ['for=203.0.113.5;host="a,b;for=6.6.6.6"', "203.0.113.5"],
      // A caller's open quote ends nowhere in what our proxy added.
      ['for=", for=203.0.113.5', "203.0.113.5"],
      ['for="\\", for=203.0.113.5', "203.0.113.5"],
      ["for=unknown", PROXY],
      ["for=_hidden", PROXY],
      ["proto=https", PROXY],
      ["for=203.0.113.5;for=6.6.6.6", PROXY],
      ["for=203.0.113.5;", "203.0.113.5"],
      ["for=203.0.113.5 6.6.6.6", PROXY],
      ['for="203.0.113.5', PROXY],
      ["for=[2001:db8:1:2::4]", PROXY],
      ['for=203.0.113.5;host="e\\", for=6.6.6.6;x=\\"y"', "203.0.113.5"],
      ["for=127.0.0.1", "forwarded 127.0.0.1"],
    ] as const
  ) assertEquals(of(value), key, value);
  assertEquals(
    proxies(undefined, "forwarded").callerKey(PROXY, { "x-forwarded-for": "203.0.113.5" }),
    PROXY,
    "the header that was not chosen",
  );
});

Deno.test("no header makes a caller of what its proxy did not note, or a call of this machine's own", () => {
  const junk = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom("127.0.0.1", "::1", '"', "\\", ",", ";", "for=", 'for="', "unknown", "10.0.0.1"),
  );
  const caller = fc.oneof(fc.ipV4(), fc.ipV6()).filter((text) => !text.startsWith("10."));
  fc.assert(fc.property(fc.array(junk, { maxLength: 30 }), caller, (parts, address) => {
    const sent = parts.join(",");
    const quoted = address.includes(":") ? `"[${address}]"` : address;
    const key = addressKey(ipText(ipAddress(address)!));
    const wanted = isLoopback(key) ? `forwarded ${key}` : key;
    // An own proxy in between makes no difference.
    for (const between of ["", ", 10.2.2.2"]) {
      assertEquals(
        proxies("10.0.0.0/8").callerKey(PROXY, { "x-forwarded-for": `${sent}, ${address}${between}` }),
        wanted,
      );
    }
    const own = proxies("10.0.0.0/8", "forwarded");
    assertEquals(own.callerKey(PROXY, { forwarded: `${sent}, for=${quoted};proto=https` }), wanted);
    for (const header of ["x-forwarded-for", "forwarded"]) {
      const seen = proxies(undefined, header).callerKey("127.0.0.1", { [header]: sent });
      assert(!isLoopback(seen), seen);
    }
  }));
});

Deno.test("a long list costs no more than its length, and no more proxies are believed than there may be", () => {
  const chain = Array<string>(PROXIES_MAX).fill("10.0.0.1");
  assertEquals(proxies().callerKey(PROXY, { "x-forwarded-for": ["203.0.113.5", ...chain].join() }), "10.0.0.1");
  assertEquals(
    proxies().callerKey(PROXY, { "x-forwarded-for": ["203.0.113.5", ...chain.slice(1)].join() }),
    "203.0.113.5",
  );
  const own = proxies(undefined, "forwarded");
  const size = 256 * 1024;
  for (const part of [",", '"', "\\", '\\"', ";", "for=", "a=b;", "10.0.0.1,", "for=10.0.0.1,", " ", "f"]) {
    const text = part.repeat(size / part.length);
    for (const value of [text, `"${text}`, `${text}"`, `for="${text}"`]) {
      assert(own.callerKey(PROXY, { forwarded: value }) !== "", part);
      assert(proxies().callerKey(PROXY, { "x-forwarded-for": value }) !== "", part);
    }
  }
});

Deno.test("who is a proxy: by its exact address, however the socket names it", () => {
  const exact = proxies("10.0.0.7,2001:db8::7");
  for (
    const [address, is] of [
      ["10.0.0.7", true],
      ["::ffff:10.0.0.7", true],
      ["10.0.0.8", false],
      ["2001:db8::7", true],
      ["2001:db8::8", false],
      [undefined, false],
      ["", false],
    ] as const
  ) assertEquals(exact.isProxy(address), is, address);
  assertEquals(proxies("::ffff:10.0.0.0/104").isProxy("10.200.0.1"), true);
  assertEquals(new TrustedProxies(load({}).trustedProxies).isProxy("127.0.0.1"), false);
});

Deno.test("a call that was passed on is none of this machine's own, by whichever proxy it came", () => {
  const peers = new Peers(proxies("10.0.0.7,127.0.0.9"));
  const of = (socket: string, fields: Record<string, string> = {}) =>
    peers.callerOf(peers.ofSocket(socket), fields).address;
  assertEquals(of("127.0.0.1"), "127.0.0.1");
  assertEquals(of("127.0.0.1", { "x-forwarded-for": "203.0.113.5" }), "forwarded 127.0.0.1");
  assertEquals(of("::1", { forwarded: "for=203.0.113.5" }), "forwarded ::1");
  assertEquals(of("127.0.0.9"), "forwarded 127.0.0.9");
  // No proxy of ours: what it says changes nothing but that.
  assertEquals(of("192.0.2.1", { "x-forwarded-for": "203.0.113.5" }), "192.0.2.1");
});

Deno.test("an address is remembered for as long as it has something here or to answer for", () => {
  const peers = new Peers(proxies("10.0.0.7"));
  const proxy = peers.ofSocket("10.0.0.7");
  const fields = { "x-forwarded-for": "203.0.113.5" };
  const { peer } = peers.callerOf(proxy, fields);
  peer.requests = 1;
  peers.keep(peer);
  assert(peers.callerOf(proxy, fields).peer === peer);
  assert(peers.ofSocket("203.0.113.5") === peer, "directly and through a proxy it is the same");
  peers.leave(peer);
  assert(peers.callerOf(proxy, fields).peer === peer);
  peer.requests = 0;
  peers.leave(peer);
  const next = peers.callerOf(proxy, fields).peer;
  assert(next !== peer);
  next.requests = 1;
  peers.keep(next);
  peers.leave(peer);
  assert(peers.callerOf(proxy, fields).peer === next, "a late end of the one before changes nothing");
});

Deno.test("a network has what begins like it, for every prefix", () => {
  fc.assert(fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.nat(), (address, bits, other) => {
    const number = (text: string) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    const dotted = (value: number) => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
    const size = 2 ** (32 - bits);
    const first = Math.floor(number(address) / size) * size;
    const network = ipNetwork(`${dotted(first)}/${bits}`)!;
    const asked = other % 2 ** 32;
    assertEquals(isInNetwork(ipAddress(dotted(asked))!, network), Math.floor(asked / size) * size === first);
    assert(isInNetwork(ipAddress(address)!, network));
    assertEquals(ipText(ipAddress(address)!), address);
  }));
});

Deno.test("TRUSTED_PROXIES: each entry that is no proxy is named with its place, and everybody is none", () => {
  const problem = (list: string) =>
    assertThrows(() => load({ TRUSTED_PROXIES: list }), ConfigError).problems.join("\n");
  for (
    const text of ["proxy.example", "10.0.0.7:80", "10.0.0.0/33", "2001:db8::/129", "10.0.0.0/", "[::1]", "fe80::1%a"]
  ) {
    assertStringIncludes(problem(text), "TRUSTED_PROXIES: expected an address such as 10.0.0.7", text);
  }
  assertStringIncludes(problem("10.0.0.7/8"), "whose bits behind the prefix are 0");
  for (const text of ["0.0.0.0/0", "::/0", "::ffff:0:0/96", "::/80"]) assertStringIncludes(problem(text), "everybody");
  assertStringIncludes(problem("10.0.0.1,,10.0.0.2"), "entry 2 of 3 is empty");
  assertStringIncludes(problem("10.0.0.1,x"), "entry 2: expected");
  assertStringIncludes(
    load({ TRUSTED_PROXIES_HEADER: "forwarded" }).notes.join(),
    "TRUSTED_PROXIES_HEADER changes nothing",
  );
});
