/** Keys that work on every page, unless somebody types or a dialog is open. */
import { navigate } from "./router.ts";

/** What keys lead to that the frame has. */
export interface Shortcuts {
  readonly search: () => void;
  readonly help: () => void;
}

/** `g`, then one of these, within GO_MS_MAX. */
const GOES: Readonly<Record<string, string>> = { g: "/goods", o: "/orders", s: "/system" };
const GO_MS_MAX = 1_500;

/** Listens to the keyboard, until what it answers is called. */
export function listenForKeys({ search, help }: Shortcuts): () => void {
  let goSince = -Infinity;
  const pressed = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isBusy(event)) return;
    const isGo = event.timeStamp - goSince < GO_MS_MAX;
    goSince = -Infinity;
    const to = isGo ? GOES[event.key] : undefined;
    if (to !== undefined) navigate(to);
    else if (event.key === "g") goSince = event.timeStamp;
    else if (event.key === "/") search();
    else if (event.key === "?") help();
    else return;
    event.preventDefault();
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}

/** Whether the key is for a field or for a dialog. */
function isBusy(event: KeyboardEvent): boolean {
  return event.composedPath().some((target) =>
    target instanceof HTMLDialogElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    target instanceof HTMLInputElement && !["checkbox", "radio", "button"].includes(target.type) ||
    target instanceof HTMLElement && target.isContentEditable
  );
}
