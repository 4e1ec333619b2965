/** Whose an address is, and what it may have. */
import { assertEquals } from "@std/assert";
import { addressKey, AddressPlaces, shareOf } from "../../src/transport/addresses.ts";
import { http1Refusal } from "../../src/transport/http1/exchange.ts";
import { limitsWithShare, LISTENER_LIMITS } from "../../src/transport/limits.ts";

Deno.test("an IPv4 address is one party, however it is named; in IPv6 a network of 64 bits is", () => {
  for (
    const [address, key] of [
      [undefined, ""],
      ["127.0.0.1", "127.0.0.1"],
      ["::ffff:10.1.2.3", "10.1.2.3"],
      ["::1", "::1"],
      ["::2", "0:0:0:0::/64"],
      ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
      ["2001:0DB8:1:2::9", "2001:db8:1:2::/64"],
      ["2001:db8::9", "2001:db8:0:0::/64"],
      ["2001:db8:1:3::9", "2001:db8:1:3::/64"],
      ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ] as const
  ) assertEquals(addressKey(address), key);
});

Deno.test("an address gets its share of the places, all together get all, and a place that was left is free", () => {
  const places = new AddressPlaces(8, 0.25);
  const first = places.take("a");
  assertEquals([typeof first, typeof places.take("a"), places.take("a")], ["function", "function", undefined]);
  for (const address of ["b", "c", "d"]) for (const _ of [1, 2]) assertEquals(typeof places.take(address), "function");
  assertEquals(places.take("e"), undefined);
  first!();
  assertEquals(typeof places.take("e"), "function");
  assertEquals(places.take("a"), undefined);
});

Deno.test("a share of a quarter gives the usual limits; a proxy in front may have all", () => {
  assertEquals(limitsWithShare(0.25), LISTENER_LIMITS);
  const { connectionsPerAddressMax, requestsPerAddressMax, resetsPerAddressMax, unreadPerAddressBytesMax } =
    limitsWithShare(1);
  const { connectionsMax, requestsMax, resetsTotalMax, unreadTotalBytesMax } = LISTENER_LIMITS;
  assertEquals(
    [connectionsPerAddressMax, requestsPerAddressMax, resetsPerAddressMax, unreadPerAddressBytesMax],
    [connectionsMax, requestsMax, resetsTotalMax, unreadTotalBytesMax],
  );
  assertEquals(limitsWithShare(0.25, 100).connectionsPerAddressMax, 25);
  assertEquals(shareOf(3, 0.01), 1);
});

Deno.test("two Host fields, a Host that is none and codings beside chunked are refused", () => {
  for (
    const [raw, status] of [
      [["host", "a:1"], undefined],
      [["Host", "[::1]:8080", "Transfer-Encoding", "Chunked"], undefined],
      [["host", "a", "HOST", "a"], 400],
      [["host", "a/b"], 400],
      [["host", "me@a"], 400],
      [["host", "a?b"], 400],
      [["host", "a", "transfer-encoding", "gzip, chunked"], 501],
      [["host", "a", "transfer-encoding", "gzip", "transfer-encoding", "chunked"], 501],
    ] as const
  ) assertEquals(http1Refusal(raw), status, JSON.stringify(raw));
});
