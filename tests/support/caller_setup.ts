/**
 * What the callers of a test bring with every call, for tests whose servers ask who calls, and whom they trust, for
 * those whose servers speak TLS.
 */
import net from "node:net";
import tls from "node:tls";

/** Header fields by name. */
export type Fields = Readonly<Record<string, string>>;

/** It is one for all callers of a test, but for whoever attacks beside them: that is somebody else. */
export interface CallerSetup {
  readonly headers: Fields;
  readonly attackerHeaders: Fields;
  /** Who signs the server's certificate, as PEM; undefined: the server speaks no TLS. */
  readonly ca: string | undefined;
}

const NOTHING: CallerSetup = { headers: {}, attackerHeaders: {}, ca: undefined };
let setup = NOTHING;

/** Nothing, unless it was set. */
export function callerSetup(): CallerSetup {
  return setup;
}

/** From now on, until the returned function is called. */
export function setCallerSetup(given: Partial<CallerSetup>): () => void {
  setup = { ...NOTHING, ...given };
  return () => setup = NOTHING;
}

/** Where a peer connects that writes its bytes itself. */
export interface ConnectOptions {
  /** Of this machine. */
  readonly port: number;
  /** Whence. */
  readonly address: string | undefined;
  readonly protocol: "h2" | "http/1.1";
  /** True: in clear, whatever the server speaks. */
  readonly isClear?: boolean | undefined;
}

/** Connects, by TLS where the server of the test speaks it. */
export function connectTo({ port, address, protocol, isClear = setup.ca === undefined }: ConnectOptions): net.Socket {
  const to = { port, host: "127.0.0.1", ...(address === undefined ? {} : { localAddress: address }) };
  return isClear ? net.connect(to) : tls.connect({ ...to, ca: setup.ca, ALPNProtocols: [protocol] });
}
