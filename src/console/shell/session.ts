/**
 * How the page gets its link to the server, and loses it.
 *
 *     opening      -> open         the server says who calls
 *     opening      -> key          it wants a key, or another one
 *     opening      -> denied       it does not let this page call, whatever the key
 *     opening      -> unreachable  it does not answer
 *     unreachable  -> opening      after some seconds, or when somebody asks
 *     open         -> key          it does not take the key any more
 *     open, key    -> opening      another key, or none, typed in here or in another tab
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { forgetKey, keepKey, storedKey } from "../link/credentials.ts";
import { type Link, openLink } from "../link/link.ts";
import { wireOf } from "../link/transport.ts";

/** Where it stands. */
export type SessionState =
  | { readonly kind: "opening" }
  | { readonly kind: "open"; readonly link: Link }
  | { readonly kind: "key"; readonly isRefused: boolean }
  | { readonly kind: "denied"; readonly error: unknown }
  | { readonly kind: "unreachable"; readonly error: unknown };

const AGAIN_MS_MAX = 5_000;

/** The session of this tab. */
export class Session {
  #state: SessionState = { kind: "opening" };
  #again: number | undefined;
  #attempt = 0;

  constructor(private readonly changed: (state: SessionState) => void) {}

  get state(): SessionState {
    return this.#state;
  }

  /** Whether a key is in use. */
  get hasKey(): boolean {
    return storedKey() !== undefined;
  }

  /** Opens it, with the key that is kept where there is one. Never rejects. */
  async open(): Promise<void> {
    clearTimeout(this.#again);
    const attempt = ++this.#attempt;
    if (this.#state.kind === "open") this.#state.link.close();
    // What is unreachable says so until it is reached.
    if (this.#state.kind !== "unreachable") this.#set({ kind: "opening" });
    const key = storedKey();
    try {
      const wire = wireOf(new URL(location.href).searchParams);
      const link = await openLink({ baseUrl: location.origin, wire, key });
      if (attempt !== this.#attempt) return link.close();
      link.onRefused(() => this.askForKey(true));
      this.#set({ kind: "open", link });
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error, key !== undefined);
    }
  }

  /** Calls with this key from now on. */
  useKey(key: string, remember: boolean): void {
    keepKey(key, remember);
    void this.open();
  }

  /** Calls without a key from now on. */
  signOut(): void {
    forgetKey();
    void this.open();
  }

  /** Asks for a key. `isRefused`: the one that there was is not taken. */
  askForKey(isRefused: boolean): void {
    this.#attempt++;
    if (this.#state.kind === "open") this.#state.link.close();
    this.#set({ kind: "key", isRefused });
  }

  #fail(error: unknown, hadKey: boolean): void {
    const { code } = ConnectError.from(error);
    if (code === Code.Unauthenticated) return this.#set({ kind: "key", isRefused: hadKey });
    if (code === Code.PermissionDenied) return this.#set({ kind: "denied", error });
    this.#set({ kind: "unreachable", error });
    this.#again = setTimeout(() => void this.open(), AGAIN_MS_MAX * (0.5 + Math.random() / 2));
  }

  #set(state: SessionState): void {
    this.#state = state;
    this.changed(state);
  }
}
