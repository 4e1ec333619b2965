/**
 * Who is read from, and how much of it in one turn of the event loop. What a socket brings at once can have hundreds of
 * requests, a thousand sockets a hundred thousand, and all of them would be begun before anybody else's socket is
 * looked at again. So bytes are handed on by what they make to do, in whole requests: so much a turn for one address
 * and for all, by turns among the addresses that wait and among the connections of each; a connection that waits is
 * paused, whatever node:http wants of its socket, and what its peer sends stays in the system's buffers.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Connection } from "./connections.ts";
import { FrameWalk } from "./http2/frame_walk.ts";
import type { ListenerLimits } from "./limits.ts";
import type { Peer } from "./peers.ts";
import type { CountedLimit } from "./over_limit_log.ts";

/**
 * HTTP/1 bytes handed on at once: as long as a header of a call, and few enough that a packet full of the shortest
 * requests is counted before much is made of it.
 */
const HTTP1_BYTES = 2_048;

/**
 * What HTTP/1 bytes cost, in whole requests: half for being handed on, as they may be the last of a message; and for
 * each line, which is a field of a header or half of a chunk of a body. Lines of a message that is sent whole cost
 * less, and count all the same: only whoever reads them can see that.
 */
const HTTP1_READ = 1 / 2;
const HTTP1_LINE = 1 / 32;
const LINE_FEED = 0x0a;

/** Two addresses whose requests are so far apart, in ms, are not there together. */
const SHARED_MS = 1_000;

/**
 * From one turn to the next, in ms, where somebody waits and there are several addresses. By a timer: with immediates
 * Deno 2.9.3 was measured to go round without looking at all sockets, and an honest call took 100 turns.
 */
const SHARED_TURN_MS = 2;

/** Most requests of one connection at a time, where others of its address wait. */
const READ_MAX = 8;

/**
 * More connections than this wait only for an attacker, as busy backends share few. Turns of half as much then leave
 * the loop time in between: beside 200 connections that reset their streams an honest call took 30 ms in the median,
 * not 110.
 */
const CONTENDED = 16;

/** The reading of one connection. */
interface Reading {
  readonly connection: Connection;
  readonly socket: Socket;
  /** HTTP/2: where its frames are. */
  readonly frames: FrameWalk | undefined;
  /** What was listening to the socket's data before. */
  readonly read: (bytes: Buffer) => void;
  /** What has come and was not handed on yet: `rest` from `restFrom` on. */
  rest: Buffer | undefined;
  restFrom: number;
  /** It stands among those that wait for their turn. */
  isWaiting: boolean;
  /** HTTP/1: node:http has paused the socket itself. */
  isHeld: boolean;
  /** Keep the socket back for its turn, and let it go on. */
  pause: () => void;
  resume: () => void;
}

/** The reading of all connections of a listener. */
export class ReadTurns {
  #turn = 0;
  #isTurnDue = false;
  /** What was handed on in this turn, in whole requests. */
  #begun = 0;
  /** Who began the latest, and until when turns are small, as there are others. */
  #latest: string | undefined = undefined;
  #sharedUntil = 0;
  #isShared = false;
  /** Whose connections wait, each first come first, and how many they are. */
  readonly #waiting = new Map<Peer, Reading[]>();
  #waitingConnections = 0;

  /** @param cut ends a connection for the limit that it is over */
  constructor(
    private readonly limits: ListenerLimits,
    private readonly cut: (connection: Connection, limit: CountedLimit) => void,
  ) {}

  /**
   * Takes over the socket's data from what listens to it, which must be so already, and hands it on in turns.
   *
   * @param frames of HTTP/2, absent for HTTP/1
   */
  take(connection: Connection, socket: Socket, frames?: FrameWalk): void {
    const listeners = socket.listeners("data") as ((bytes: Buffer) => void)[];
    const reading: Reading = {
      connection,
      socket,
      frames,
      read: (bytes) => listeners.forEach((listener) => listener.call(socket, bytes)),
      rest: undefined,
      restFrom: 0,
      isWaiting: false,
      isHeld: false,
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
    };
    if (frames === undefined) shareFlow(reading);
    socket.on("data", (bytes: Buffer) => this.#arrived(reading, bytes));
    for (const listener of listeners) socket.off("data", listener);
  }

  /** Counts a request over HTTP/1, which its lines don't show. */
  noteHttp1(peer: Peer): void {
    this.#count(peer, 1);
  }

  #arrived(reading: Reading, bytes: Buffer): void {
    if (reading.rest !== undefined) {
      // It waits already: what was under way when its socket was paused.
      reading.rest = Buffer.concat([reading.rest.subarray(reading.restFrom), bytes]);
      reading.restFrom = 0;
      return reading.pause();
    }
    reading.rest = bytes;
    reading.restFrom = 0;
    const { peer } = reading.connection;
    const waiting = this.#waiting.get(peer);
    // Nobody overtakes those of its address that wait already.
    if (waiting === undefined && this.#handOn(reading, this.#workLeft())) return;
    reading.isWaiting = true;
    reading.pause();
    this.#waitingConnections++;
    if (waiting === undefined) this.#waiting.set(peer, [reading]);
    else waiting.push(reading);
    this.#beDue();
  }

  /** Hands on until there is work for so many requests. True: nothing is left. */
  #handOn(reading: Reading, workMax: number): boolean {
    const { connection, frames } = reading;
    this.#enterTurn(connection.peer);
    let begun = 0;
    while (reading.rest !== undefined && begun < workMax) {
      const { rest, restFrom } = reading;
      const before = connection.peer.begun;
      const end = frames === undefined
        ? Math.min(rest.length, restFrom + HTTP1_BYTES)
        : frames.walk(rest, restFrom, workMax - begun);
      if (end === rest.length) reading.rest = undefined;
      reading.restFrom = end;
      this.#count(connection.peer, frames?.work ?? HTTP1_READ + linesOf(rest, restFrom, end) * HTTP1_LINE);
      if (frames === undefined && !this.#mayRead(connection, end - restFrom)) return true;
      reading.read(restFrom === 0 && end === rest.length ? rest : rest.subarray(restFrom, end));
      // A new turn of the loop never begins in here.
      begun += connection.peer.begun - before;
      if (reading.socket.destroyed) return true;
    }
    return reading.rest === undefined;
  }

  /** Bytes that no body is made of, such as chunk extensions, are nobody else's to bound. */
  #mayRead(connection: Connection, bytes: number): boolean {
    connection.requestBytes += bytes;
    if (connection.requestBytes <= this.limits.http1RequestBytesMax || connection.exchanges.size === 0) return true;
    this.cut(connection, "http1RequestBytesMax");
    return false;
  }

  /**
   * What anybody may still begin in this turn. No part of it is kept free: whoever comes later waits for one turn, then
   * takes turns.
   */
  #workLeft(): number {
    const { requestsPerTurnMax, requestsPerSharedTurnMax } = this.limits;
    if (!this.#isShared) return requestsPerTurnMax - this.#begun;
    return requestsPerSharedTurnMax / (this.#waitingConnections > CONTENDED ? 2 : 1) - this.#begun;
  }

  #enterTurn(peer: Peer): void {
    if (peer.turn === this.#turn) return;
    peer.turn = this.#turn;
    peer.begun = 0;
  }

  #count(peer: Peer, work: number): void {
    if (work === 0) return;
    this.#enterTurn(peer);
    // By its key: an address that comes back without a connection left is still the same.
    if (this.#latest !== peer.key) {
      this.#isShared = this.#latest !== undefined;
      this.#sharedUntil = performance.now() + SHARED_MS;
      this.#latest = peer.key;
    }
    peer.begun += work;
    this.#begun += work;
    this.#beDue();
  }

  #beDue(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    if (this.#waiting.size === 0) setImmediate(() => this.#next());
    else setTimeout(() => this.#next(), this.#isShared ? SHARED_TURN_MS : 0);
  }

  /** The next turn: one connection of each address that waits, and again, while there is work left. */
  #next(): void {
    this.#isTurnDue = false;
    this.#turn++;
    this.#begun = 0;
    if (this.#isShared && this.#waiting.size < 2) this.#isShared = performance.now() < this.#sharedUntil;
    while (true) {
      let isAnyRead = false;
      for (const [peer, waiting] of this.#waiting) {
        const workMax = Math.min(this.#workLeft(), READ_MAX);
        if (workMax <= 0) break;
        isAnyRead = true;
        const reading = waiting.shift()!;
        if (reading.socket.destroyed || this.#handOn(reading, workMax)) {
          this.#waitingConnections--;
          reading.isWaiting = false;
          reading.resume();
        } else waiting.push(reading);
        if (waiting.length === 0) this.#waiting.delete(peer);
      }
      if (!isAnyRead) break;
    }
    // Who stood first in this turn is last in the next.
    const first = this.#waiting.entries().next().value;
    if (first === undefined) return;
    this.#waiting.delete(first[0]);
    this.#waiting.set(...first);
    this.#beDue();
  }
}

/**
 * Has a socket of HTTP/1 flow only while neither its turn nor node:http keeps it back. Left to itself node:http lets it
 * go on each time that some of a body was read, also while the connection waits: then with each 2 KiB that were handed
 * on a whole read more came in, and in the end all that a peer had sent. 750 connections that send bodies of 0.9 MB
 * were measured to make the process 780 to 1,077 MiB large.
 */
function shareFlow(reading: Reading): void {
  const { socket } = reading;
  const { pause, resume } = socket;
  socket.pause = () => {
    reading.isHeld = true;
    return pause.call(socket);
  };
  socket.resume = () => {
    reading.isHeld = false;
    return reading.isWaiting ? socket : resume.call(socket);
  };
  reading.pause = () => void pause.call(socket);
  reading.resume = () => void (reading.isHeld || resume.call(socket));
}

function linesOf(bytes: Buffer, from: number, end: number): number {
  let lines = 0;
  for (let at = from; at < end; at++) if (bytes[at] === LINE_FEED) lines++;
  return lines;
}
