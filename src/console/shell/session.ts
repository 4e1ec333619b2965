/**
 * How the page gets its link to the server, and loses it. A key that is taken no more is not the end of the link: who
 * comes back as the same caller goes on with it, and finds what was typed.
 *
 *     opening      -> open         the server says who calls
 *     opening      -> key          it wants a key, or another one
 *     opening      -> denied       it does not let this page call, whatever the key
 *     opening      -> unreachable  it does not answer
 *     unreachable  -> opening      after some seconds, or when somebody asks
 *     open         -> key          it does not take the key any more
 *     any          -> key          somebody asks to type another one
 *     open, key    -> opening      another key, or none, typed in here or in another tab
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { forgetKey, keepKey, storedKey } from "../link/credentials.ts";
import { askCaller, isSameCaller, type Link, linkOf } from "../link/link.ts";
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
  #link: Link | undefined;

  constructor(private readonly changed: (state: SessionState) => void) {}

  /** The link that is open, or was and may be again. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** Whether a key is in use. */
  get hasKey(): boolean {
    return storedKey() !== undefined;
  }

  /** Opens it, with the key that is kept where there is one. Never rejects. */
  async open(): Promise<void> {
    clearTimeout(this.#again);
    const attempt = ++this.#attempt;
    this.#link?.hold();
    // What is unreachable says so until it is reached.
    if (this.#state.kind !== "unreachable") this.#set({ kind: "opening" });
    const key = storedKey();
    try {
      const wire = wireOf(new URL(location.href).searchParams);
      const credentials = { baseUrl: location.origin, wire, key };
      const caller = await askCaller(credentials);
      if (attempt !== this.#attempt) return;
      const link = this.#linkOf(caller);
      await link.begin(credentials);
      if (attempt === this.#attempt) {
        this.#link = link;
        this.#set({ kind: "open", link });
      } else if (link !== this.#link) link.close();
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
    this.#giveUp();
    void this.open();
  }

  /** Asks for a key. `isRefused`: the one that there was is not taken. */
  askForKey(isRefused: boolean): void {
    clearTimeout(this.#again);
    this.#attempt++;
    if (isRefused || this.#state.kind !== "open") this.#link?.hold();
    else this.#giveUp();
    this.#set({ kind: "key", isRefused });
  }

  /** Of whoever calls now: the one that there was, where that is its. */
  #linkOf(caller: Link["caller"]): Link {
    if (this.#link !== undefined && isSameCaller(this.#link.caller, caller)) return this.#link;
    this.#giveUp();
    const link = linkOf(caller);
    link.onRefused(() => this.askForKey(true));
    return link;
  }

  /** Whoever comes is another reader: nothing of the one before is left. */
  #giveUp(): void {
    this.#link?.close();
    this.#link = undefined;
  }

  #fail(error: unknown, hadKey: boolean): void {
    const { code } = ConnectError.from(error);
    if (code === Code.Unauthenticated) {
      if (!hadKey) this.#giveUp();
      return this.#set({ kind: "key", isRefused: hadKey });
    }
    if (code === Code.PermissionDenied) {
      this.#giveUp();
      return this.#set({ kind: "denied", error });
    }
    this.#set({ kind: "unreachable", error });
    this.#again = setTimeout(() => void this.open(), AGAIN_MS_MAX * (0.5 + Math.random() / 2));
  }

  #set(state: SessionState): void {
    this.#state = state;
    this.changed(state);
  }
}
