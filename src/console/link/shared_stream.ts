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

/** Takes part in the stream of this caller; `emit` gets all that it says. */
export function joinStream(credentials: Credentials, emit: (event: StreamEvent) => void): StreamPart {
  const part = join(credentials, emit);
  const look = () => document.visibilityState === "visible" && part.look();
  const close = () => {
    removeEventListener("pagehide", leave);
    removeEventListener("pageshow", look);
    removeEventListener("online", look);
    document.removeEventListener("visibilitychange", look);
    part.close();
  };
  // A page that the browser keeps and shows again begins anew, as it may have missed anything.
  const leave = (event: PageTransitionEvent) => {
    if (event.persisted) addEventListener("pageshow", () => location.reload(), { once: true });
    close();
  };
  addEventListener("pagehide", leave);
  addEventListener("pageshow", look);
  addEventListener("online", look);
  document.addEventListener("visibilitychange", look);
  return { look, close };
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
