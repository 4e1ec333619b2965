/**
 * Which calls go on, of those that may: not those that the server does not get through (`pressure.ts`), and not more of
 * one identity than it may have (`identity_limits.ts`). Decided by the header alone, before anything is begun.
 *
 *     who may call at all -> how late the loop is -> places of the identity -> its rate -> handler
 *
 * What streams for minutes has a place of its own among the streams (`stream_places.ts`) instead of one among calls.
 *
 * What anybody may ask, such as health, goes on whatever comes. Callers without an identity have the limits of their
 * address, which are others' (`src/transport`, `src/lanes`).
 */
import type { DescMethod } from "@bufbuild/protobuf";
import type { ContextValues } from "@connectrpc/connect";
import type { Identity } from "../auth/identity.ts";
import { ANYONE, type Right } from "../auth/rights.ts";
import type { Admitted, CallAdmission, CallHead } from "../rpc/admission.ts";
import type { Log } from "../telemetry/log.ts";
import { RareLine } from "../telemetry/rare_line.ts";
import { callerAddress } from "../transport/addresses.ts";
import { type IdentityBounds, IdentityLimits } from "./identity_limits.ts";
import { Pressure } from "./pressure.ts";
import { callsError, type LimitPassed, rateError, shedError, streamsError } from "./refusals.ts";
import { type StreamBounds, StreamPlaces, type StreamsPassed } from "./stream_places.ts";

/** What the limits are made of. */
export interface CallLimitsParts {
  /** Whether a call may be made at all. Absent: every one may. */
  readonly inner: CallAdmission | undefined;
  /** Who calls, once `inner` has decided; undefined: nobody that is known. */
  readonly identityOf: (values: ContextValues) => Identity | undefined;
  /** What the caller of a method must be allowed. */
  readonly rightOf: (method: DescMethod) => Right | typeof ANYONE | undefined;
  readonly bounds: IdentityBounds;
  /** Of streams. */
  readonly streams: StreamBounds;
  /** The delay of the event loop that is aimed at, in ms; undefined: whatever it is. */
  readonly loopDelayMsMax: number | undefined;
  /** Evenly spread over [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

/** What the limits did, for whoever wants figures. */
export interface CallLimitsView {
  /** Calls that were refused, by limit. */
  readonly refused: Readonly<Record<LimitPassed, number>>;
  /** The part of the calls that are shed; above 1, operators' too. */
  readonly pressure: number;
  /** Identities with calls under way. */
  readonly identities: number;
  /** Streams that are open. */
  readonly streams: number;
}

/** The limits of all calls of one process. */
export class CallLimits implements CallAdmission {
  readonly #parts: CallLimitsParts;
  readonly #identities: IdentityLimits;
  readonly #pressure: Pressure;
  readonly #streams: StreamPlaces;
  readonly #refused: Record<LimitPassed, number> = {
    rate: 0,
    calls: 0,
    loop_delay: 0,
    streams: 0,
    identity_streams: 0,
  };
  readonly #line: RareLine;

  constructor(parts: CallLimitsParts) {
    this.#parts = parts;
    this.#identities = new IdentityLimits(parts.bounds);
    this.#streams = new StreamPlaces(parts.streams);
    this.#pressure = new Pressure(parts.loopDelayMsMax ?? Infinity);
    this.#line = new RareLine(parts.log, "calls refused, over a limit");
  }

  get challenge(): string | undefined {
    return this.#parts.inner?.challenge;
  }

  /** To all but streams: without anybody who decides on callers there are no identities, and mostly no pressure. */
  get isOpen(): boolean {
    return this.#parts.inner === undefined && this.#pressure.value === 0;
  }

  get view(): CallLimitsView {
    return {
      refused: { ...this.#refused },
      pressure: this.#pressure.value,
      identities: this.#identities.view.active,
      streams: this.#streams.open,
    };
  }

  /** Takes a look at the event loop, as {@link Pressure.look}. */
  readonly look = (lateMs: number, sinceMs: number): void => {
    if (this.#parts.loopDelayMsMax !== undefined) this.#pressure.look(lateMs, sinceMs);
  };

  admit(head: CallHead): Admitted | Promise<Admitted> {
    const may = this.#parts.inner?.admit(head);
    if (!(may instanceof Promise)) return may ?? this.#limit(head);
    // Whoever goes meanwhile has nothing under way.
    let isGone = false;
    head.answer.onceClosed(() => isGone = true);
    return may.then((refused) => refused ?? (isGone ? undefined : this.#limit(head)));
  }

  #limit(head: CallHead): Admitted | Promise<Admitted> {
    const { identityOf, rightOf, random } = this.#parts;
    const right = head.method && rightOf(head.method);
    if (right === undefined || right === ANYONE) return undefined;
    const identity = identityOf(head.values);
    if (this.#pressure.value > 0) {
      const isOperators = identity === undefined ? right === "operator" : identity.rights.has("operator");
      if (this.#pressure.sheds(isOperators, random())) {
        return this.#refuse("loop_delay", head, identity, shedError(random()));
      }
    }
    // A key and a token may have the same name, and need not be the same caller.
    const caller = identity && `${identity.kind} ${identity.name}`;
    if (head.method?.methodKind === "server_streaming") {
      const passed = this.#takePlace(head, caller);
      if (passed !== undefined) return this.#refuse(passed, head, identity, streamsError(passed, random()));
    }
    return identity && this.#limitIdentity(head, identity, caller!);
  }

  /** Takes a place among the streams until the stream is closed. */
  #takePlace(head: CallHead, caller: string | undefined): StreamsPassed | undefined {
    const place = this.#streams.take(callerAddress(head.values), caller);
    if (typeof place === "string") return place;
    head.answer.onceClosed(place);
    return undefined;
  }

  #limitIdentity(head: CallHead, identity: Identity, caller: string): Admitted | Promise<Admitted> {
    const { bounds } = this.#parts;
    if (head.method?.methodKind !== "server_streaming") {
      const end = this.#identities.begin(caller);
      if (end === undefined) return this.#refuse("calls", head, identity, callsError(bounds.callsMax));
      head.answer.onceClosed(end);
    }
    if (!this.#identities.hasRate) return undefined;
    return this.#identities.count(caller).then((afterMs) =>
      afterMs === undefined
        ? undefined
        : this.#refuse("rate", head, identity, rateError(bounds.callsPerSecondMax!, afterMs))
    );
  }

  #refuse(limit: LimitPassed, head: CallHead, identity: Identity | undefined, error: Admitted): Admitted {
    this.#refused[limit]++;
    this.#line.note({ limit, caller: identity?.name ?? callerAddress(head.values) });
    return error;
  }
}
