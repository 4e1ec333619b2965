/** The same port with TLS: ALPN decides between HTTP/2 and HTTP/1.1, and everything is served over both. */
import { assertEquals } from "@std/assert";
import tls from "node:tls";
import { grpcJsClient } from "../support/clients/grpc_js.ts";
import { v1Path } from "../support/raw_call.ts";
import { post, type ServerOptions, serverTest } from "../support/server.ts";

const FILES = new URL("../support/tls/", import.meta.url).pathname;
const CERTIFICATE = Deno.readTextFileSync(`${FILES}certificate.pem`);

const WITH_TLS: ServerOptions = {
  env: { TLS_CERT_FILE: `${FILES}certificate.pem`, TLS_KEY_FILE: `${FILES}key.pem` },
  flags: (flags) => [...flags, `--allow-read=${FILES}certificate.pem,${FILES}key.pem`],
  ca: CERTIFICATE,
};

serverTest("with a certificate everything is served over TLS", WITH_TLS, async (server, step) => {
  await step("the address says so", () => Promise.resolve(assertEquals(new URL(server.url).protocol, "https:")));

  await step("ALPN offers HTTP/2 and HTTP/1.1", async () => {
    assertEquals(await negotiate(server.port, ["h2", "http/1.1"]), "h2");
    assertEquals(await negotiate(server.port, ["http/1.1"]), "http/1.1");
  });

  await step("gRPC over HTTP/2", async () => {
    await using client = grpcJsClient(server.url, { ca: CERTIFICATE });
    assertEquals(await client.call("SetInv", { goodsId: 1, num: 10 }), {
      answer: { goodsId: 1, num: 10, onHand: 10, reserved: 0, version: "1", locationId: 0, sku: "" },
    });
  });

  await step("JSON over HTTP/1.1", async () => {
    const { httpVersion, body } = await post(server.url + v1Path("InvDetail"), { goodsId: 1 }, CERTIFICATE);
    assertEquals(httpVersion, "1.1");
    assertEquals(body.num, 10);
  });

  await step("without TLS nobody gets an answer", async () => {
    const answered = await fetch(server.url.replace("https:", "http:")).then(() => true, () => false);
    assertEquals(answered, false);
  });
});

/** The protocol that the server picks of those that a client offers. */
function negotiate(port: number, protocols: string[]): Promise<string | false | null> {
  return new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1", ca: CERTIFICATE, ALPNProtocols: protocols };
    const socket = tls.connect(options, () => {
      resolve(socket.alpnProtocol);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}
