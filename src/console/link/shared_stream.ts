/**
 * The one stream of this browser, as a tab takes part in it: from a worker that all tabs share, where browsers have
 * those; else one of the tabs has the stream and posts to the others. A browser has six connections to a server over
 * HTTP/1.1, and a stream in each of ten tabs would leave none to any of them.
 */
import { electStream } from "./elected_stream.ts";
import { openStream } from "./open_stream.ts";
import type { StreamEvent, StreamPart } from "./stream_events.ts";
import type { FromTab } from "./tab_messages.ts";
import type { Credentials } from "./transport.ts";

/** A worker that is asked how the stream is and has not answered by then is not there, in ms. */
const ANSWER_MS_MAX = 10_000;

/** A tab that is looked at asks so often whether the stream is there still, in ms: a worker that dies says nothing. */
const LOOK_MS = 20_000;

/** Takes part in the stream of this caller; `emit` gets all that it says. */
export function joinStream(credentials: Credentials, emit: (event: StreamEvent) => void): StreamPart {
  let part: StreamPart | undefined = join(credentials, emit);
  const look = () => {
    if (document.visibilityState === "visible") part?.look();
  };
  // What is said to a page that the browser freezes, or keeps to show it again, would pile up unheard.
  const leave = () => {
    part?.close();
    part = undefined;
  };
  const comeBack = () => {
    if (part !== undefined) return look();
    part = join(credentials, reloading(emit));
  };
  const stop = new AbortController();
  const { signal } = stop;
  addEventListener("pagehide", leave, { signal });
  addEventListener("pageshow", comeBack, { signal });
  addEventListener("online", look, { signal });
  document.addEventListener("freeze", leave, { signal });
  document.addEventListener("resume", comeBack, { signal });
  document.addEventListener("visibilitychange", look, { signal });
  const timer = setInterval(look, LOOK_MS);
  return {
    look,
    close() {
      stop.abort();
      clearInterval(timer);
      leave();
    },
  };
}

/** Anything may have been missed before the stream is live: what is shown is read anew then. */
function reloading(emit: (event: StreamEvent) => void): (event: StreamEvent) => void {
  let isDue = true;
  return (event) => {
    emit(event);
    if (!isDue || event.kind !== "state" || event.state !== "live") return;
    isDue = false;
    emit({ kind: "reload" });
  };
}

function join(credentials: Credentials, emit: (event: StreamEvent) => void): StreamPart {
  return joinWorker(credentials, emit) ?? joinTabs(credentials, emit);
}

function joinTabs(credentials: Credentials, emit: (event: StreamEvent) => void): StreamPart {
  // Both are there in pages of TLS and of loopback alone. Elsewhere each tab has a stream of its own.
  if ("locks" in navigator && "subtle" in crypto) return electStream(credentials, emit);
  return openStream(credentials, emit);
}

/** Undefined where browsers have no such worker. One that does not answer, or can't be loaded, is given up. */
function joinWorker(credentials: Credentials, emit: (event: StreamEvent) => void): StreamPart | undefined {
  const worker = startWorker();
  if (worker === undefined) return undefined;
  const { port } = worker;
  let tabs: StreamPart | undefined;
  let isClosed = false;
  const say = (message: FromTab) => port.postMessage(message);
  const giveUp = () => {
    if (tabs !== undefined || isClosed) return;
    // One that is only slow ends what nobody listens to.
    say({ kind: "bye" });
    port.close();
    tabs = joinTabs(credentials, emit);
  };
  let unanswered = setTimeout(giveUp, ANSWER_MS_MAX);
  worker.onerror = giveUp;
  port.onmessage = ({ data }: MessageEvent<StreamEvent>) => {
    clearTimeout(unanswered);
    emit(data);
  };
  say({ kind: "hello", credentials });
  return {
    look() {
      if (tabs !== undefined) return tabs.look();
      clearTimeout(unanswered);
      unanswered = setTimeout(giveUp, ANSWER_MS_MAX);
      say({ kind: "look" });
    },
    close() {
      isClosed = true;
      clearTimeout(unanswered);
      tabs?.close();
      say({ kind: "bye" });
      port.close();
    },
  };
}

/** Undefined where there is none. The page's policy asks to vouch for the address, which is one of its own. */
function startWorker(): SharedWorker | undefined {
  const address = document.querySelector<HTMLMetaElement>('meta[name="worker"]')?.content;
  if (typeof SharedWorker === "undefined" || address === undefined) return undefined;
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy("holdfast", { createScriptURL: (url) => url });
  try {
    return new SharedWorker(policy?.createScriptURL(address) ?? address, { type: "module", name: "holdfast" });
  } catch {
    return undefined;
  }
}

/** As much as is needed of what TypeScript does not know. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}
interface Policy {
  createScriptURL(url: string): string;
}
let policy: Policy | undefined;
