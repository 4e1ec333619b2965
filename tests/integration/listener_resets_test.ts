/** Resets are counted for an address over all its connections, and who just leaves has reset nothing. */
import { Buffer } from "node:buffer";
import { call, resets } from "../support/http2_calls.ts";
import { FLAG, FRAME } from "../support/http2_frames.ts";
import { CHECK, latchedCall, limitTest, untilAdmitted } from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";

limitTest("resetsPerAddressMax: who goes with calls in progress has reset none of them", {
  resetsPerAddressMax: 5,
}, async ({ listener }) => {
  for (const leave of ["leave", "reset"] as const) {
    const peer = await RawPeer.http2(listener.port);
    peer.send(Buffer.concat(Array.from({ length: 50 }, (_, i) => latchedCall(CHECK, 2 * i + 1))));
    peer.send(call(CHECK, 101));
    await peer.until(() => peer.got(FRAME.headers, FLAG.endStream, 101), "an answer");
    if (leave === "leave") await peer.leave();
    else peer.socket.resetAndDestroy();
  }
  const next = await RawPeer.http2(listener.port);
  next.send(call(CHECK, 1));
  await next.until(() => next.got(FRAME.headers, FLAG.endStream, 1), "an answer");
  await next.leave();
});

limitTest("resetsPerAddressMax: all connections of the address are cut, and it is refused for the window", {
  resetsPerAddressMax: 30,
  resetWindowMs: 3000,
}, async ({ listener }) => {
  const peers = await Promise.all([1, 2, 3].map(() => RawPeer.http2(listener.port)));
  for (const peer of peers) peer.send(Buffer.concat([...resets(CHECK, 20)]));
  for (const peer of peers) await peer.untilClosed("too many resets in all");
  const next = await RawPeer.http1(listener.port);
  await next.untilClosed("refused");
  await untilAdmitted(listener.port);
});
