/// <reference lib="webworker" />
/** The entry of the worker that all tabs of this browser share, and which has their streams. */
import { openStream } from "./open_stream.ts";
import { SharedStreams } from "./shared_streams.ts";
import type { FromTab } from "./tab_messages.ts";

const streams = new SharedStreams(openStream);

const scope = self as unknown as { onconnect: ((event: MessageEvent) => void) | null };
scope.onconnect = ({ ports: [port] }) => {
  let caller: string | undefined;
  port!.onmessage = ({ data }: MessageEvent<FromTab>) => {
    if (data.kind === "hello") caller = streams.join(data.credentials, port!);
    else if (caller === undefined) return;
    else if (data.kind === "look") streams.look(caller, port!);
    else streams.leave(caller, port!);
  };
};
