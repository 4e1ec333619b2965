/** The fault suite's link: what it is asked to spoil is spoilt, and nothing else. */
import { once } from "node:events";
import { connect } from "node:net";
import { assertEquals } from "@std/assert";
import { Link } from "./suite/link.ts";
import { eventually } from "../support/eventually.ts";

/** A server on a port of its own that keeps what it reads, and a link to it. */
class Ends implements AsyncDisposable {
  readonly link: Link;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #taken: Promise<Deno.TcpConn>;
  readonly #open: Deno.TcpConn[] = [];
  /** What the server has read, and how its reading ended. */
  text = "";
  ended: "no" | "end" | "reset" = "no";

  constructor() {
    this.link = new Link(() => (this.#listener.addr as Deno.NetAddr).port);
    this.#taken = this.#listener.accept();
  }

  /** Both ends of one connection through the link. */
  async connect(): Promise<{ client: Deno.TcpConn; server: Deno.TcpConn }> {
    const client = await Deno.connect({ hostname: "127.0.0.1", port: this.link.port });
    this.#open.push(client);
    return { client, server: await this.accept() };
  }

  /** The server's end of a connection, which it reads to its end. */
  async accept(): Promise<Deno.TcpConn> {
    const server = await this.#taken;
    this.#open.push(server);
    void this.#read(server);
    return server;
  }

  async #read(server: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(1024);
    try {
      for (let count = await server.read(buffer); count !== null; count = await server.read(buffer)) {
        this.text += new TextDecoder().decode(buffer.subarray(0, count));
      }
      this.ended = "end";
    } catch {
      this.ended = "reset";
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.link.close();
    this.#listener.close();
    for (const connection of this.#open) {
      try {
        connection.close();
      } catch {
        // The test has closed it.
      }
    }
    return Promise.resolve();
  }
}

const send = (to: Deno.TcpConn, text: string) => to.write(new TextEncoder().encode(text));

/**
 * What was done to another link before would have come by now: all that a connection does has gone through a link
 * meanwhile.
 */
async function whatComes(): Promise<void> {
  await using ends = new Ends();
  const { client, server } = await ends.connect();
  await send(client, "asked");
  await eventually(() => ends.text === "asked", "the control passes");
  await send(server, "answer");
  await client.read(new Uint8Array(10));
  client.close();
  await eventually(() => ends.ended !== "no", "the control ends");
}

Deno.test("a client that is reset takes its connection to the server with it", async () => {
  await using ends = new Ends();
  const client = connect(ends.link.port, "127.0.0.1");
  await once(client, "connect");
  client.write("a");
  await ends.accept();
  await eventually(() => ends.text === "a", "it passes");
  client.resetAndDestroy();
  await eventually(() => ends.ended !== "no", "the server sees it");
  await eventually(() => ends.link.open === 0, "the link has forgotten it");
});

Deno.test("a client that has ended its sending may still be answered", async () => {
  await using ends = new Ends();
  const { client, server } = await ends.connect();
  await send(client, "asked");
  await client.closeWrite();
  await eventually(() => ends.ended === "end", "the server sees the end");
  await send(server, "answer");
  const buffer = new Uint8Array(10);
  assertEquals(new TextDecoder().decode(buffer.subarray(0, await client.read(buffer) ?? 0)), "answer");
  assertEquals(ends.text, "asked");
});

Deno.test("while a link is stalled not even an end passes", async () => {
  await using ends = new Ends();
  const { client } = await ends.connect();
  await send(client, "a");
  await eventually(() => ends.text === "a", "it passes");
  ends.link.stall();
  await client.closeWrite();
  await whatComes();
  assertEquals(ends.ended, "no");
  ends.link.heal();
  await eventually(() => ends.ended === "end", "the end passes");
});

Deno.test("a connection that vanished is silent in both directions, whatever either side does", async () => {
  await using ends = new Ends();
  const { client, server } = await ends.connect();
  ends.link.vanishAfter(3);
  await send(client, "abcdef");
  await eventually(() => ends.text === "abc", "three bytes pass");
  await send(server, "answer");
  await send(client, "ghi");
  ends.link.heal();
  client.close();
  await whatComes();
  assertEquals([ends.text, ends.ended, ends.link.open, ends.link.silent], ["abc", "no", 0, 1]);
});

Deno.test("a packet that is late comes though its client has closed, and others are not delayed", async () => {
  await using ends = new Ends();
  const { client } = await ends.connect();
  const due = Promise.withResolvers<void>();
  ends.link.delayOne({ at: ["write"], comesAfter: () => due.promise });
  await send(client, "read;");
  await eventually(() => ends.text === "read;", "it passes");
  await send(client, "write;");
  await eventually(() => ends.link.lateNow === 1, "it is late");
  client.close();
  await whatComes();
  assertEquals([ends.text, ends.ended], ["read;", "no"]);
  due.resolve();
  await eventually(() => ends.text === "read;write;", "it comes");
  await eventually(() => ends.ended === "end", "and then the end");
  assertEquals([ends.link.lates, ends.link.lateNow], [1, 0]);
});
