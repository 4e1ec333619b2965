import { assertEquals, assertRejects } from "@std/assert";
import { once } from "node:events";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { CallLostError, GrpcConnection } from "../../bench/load/grpc_connection.ts";
import { BenchProcess } from "../../bench/process.ts";
import { eventually } from "../support/eventually.ts";

const MIB = 1024 * 1024;

/** Serves streams by hand until `use` is over. */
async function served(serve: (stream: ServerHttp2Stream) => void, use: (url: string) => Promise<void>): Promise<void> {
  const sessions: ServerHttp2Session[] = [];
  const server = createServer().on("session", (session) => sessions.push(session)).on("stream", serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    for (const session of sessions) session.destroy();
    server.close();
    await once(server, "close");
  }
}

async function connected(url: string, use: (connection: GrpcConnection) => Promise<void>): Promise<void> {
  const connection = await GrpcConnection.connect(url, "/a.B/C");
  try {
    await use(connection);
  } finally {
    connection.close();
  }
}

Deno.test("a stream is read to its end, however much comes on it: its window is opened again", async () => {
  const bytes = 20 * MIB;
  const serve = (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(new Uint8Array(bytes));
  };
  await served(serve, (url) =>
    connected(url, async (connection) => {
      let came = 0;
      const { status } = await connection.call(new Uint8Array(2), (more) => came += more);
      assertEquals([status, came], [0, bytes]);
    }));
});

Deno.test("a call whose stream is reset is lost, and says so", async () => {
  await served((stream) => stream.close(8), (url) =>
    connected(url, async (connection) => {
      await assertRejects(() => connection.call(new Uint8Array(2)), CallLostError, "was reset");
    }));
});

Deno.test("watchers end when streams of theirs do, and who asks them hears it", async () => {
  const streams: ServerHttp2Stream[] = [];
  const serve = (stream: ServerHttp2Stream) => {
    streams.push(stream);
    // The process goes away at the end, and they with it.
    stream.on("error", () => {});
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    stream.write(new Uint8Array(5), () => stream.write(new Uint8Array(5)));
  };
  await served(serve, async (url) => {
    const watchers = new BenchProcess("load/watchers.ts");
    try {
      await watchers.open({
        stocks: {},
        articleUrl: "",
        redisUrls: [],
        serverUrls: [],
        variantUrls: { watched: url },
        key: "",
      });
      await watchers.memory("as it is");
      streams[7]!.session!.destroy();
      const asked = () => watchers.memory("as it is").then(() => undefined, ({ message }: Error) => message);
      let heard: string | undefined;
      await eventually(async () => (heard = await asked()) !== undefined, "the watchers end");
      assertEquals(heard, "bench/load/watchers.ts ended by itself: see its words above");
    } finally {
      await watchers.stop();
    }
  });
});
