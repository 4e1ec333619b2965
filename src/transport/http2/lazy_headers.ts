/**
 * A `Headers` that is made only when somebody needs one. The platform's checks each field that comes in and looks
 * through all of them for each that is asked for; of most calls a few fields are asked for by name, and nothing else.
 */
import type { IncomingHttpHeaders } from "node:http2";
import { toWebHeaders } from "./headers.ts";

/** Fields by lower-case name, and what is done to them, which from the first change on is done to a real `Headers`. */
export class LazyHeaders implements Headers {
  #made: Headers | undefined;

  /** @param fields what they are at first, by lower-case name; never changed */
  constructor(private readonly fields: IncomingHttpHeaders) {}

  /** The fields as they were given; undefined where they may have been changed. */
  get unchanged(): IncomingHttpHeaders | undefined {
    return this.#made === undefined ? this.fields : undefined;
  }

  get(name: string): string | null {
    if (this.#made !== undefined) return this.#made.get(name);
    const value = this.fields[name.toLowerCase()];
    if (value === undefined) return null;
    // Of several values, and of pseudo-header fields, the real one knows what it makes.
    return typeof value === "string" && !name.startsWith(":") ? value : this.#whole().get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  append(name: string, value: string): void {
    this.#whole().append(name, value);
  }

  set(name: string, value: string): void {
    this.#whole().set(name, value);
  }

  delete(name: string): void {
    this.#whole().delete(name);
  }

  getSetCookie(): string[] {
    return this.#whole().getSetCookie();
  }

  forEach(callback: (value: string, name: string, parent: this) => void, thisArg?: unknown): void {
    this.#whole().forEach((value, name) => callback.call(thisArg, value, name, this));
  }

  entries(): ReturnType<Headers["entries"]> {
    return this.#whole().entries();
  }

  keys(): ReturnType<Headers["keys"]> {
    return this.#whole().keys();
  }

  values(): ReturnType<Headers["values"]> {
    return this.#whole().values();
  }

  [Symbol.iterator](): ReturnType<Headers["entries"]> {
    return this.entries();
  }

  #whole(): Headers {
    return this.#made ??= toWebHeaders(this.fields);
  }
}
