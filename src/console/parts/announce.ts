/** What is read out to those who don't see the page. It never shouts: of what comes fast the latest is read out. */

const said = new EventTarget();
const PAUSE_MS = 1_500;
let latest: string | undefined;
let isPausing = false;

/** Has a text be read out once. */
export function announce(text: string): void {
  latest = text;
  if (!isPausing) next();
}

/** Where it is shown: the frame has one such place. Answers what ends it. */
export function onAnnounced(listener: (text: string) => void): () => void {
  const heard = (event: Event) => listener((event as CustomEvent<string>).detail);
  said.addEventListener("announced", heard);
  return () => said.removeEventListener("announced", heard);
}

function next(): void {
  isPausing = latest !== undefined;
  if (latest === undefined) return;
  said.dispatchEvent(new CustomEvent("announced", { detail: latest }));
  latest = undefined;
  setTimeout(next, PAUSE_MS);
}
