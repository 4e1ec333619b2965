/**
 * What one address may have of what there is for all, over the wire: streams of health and of reflection, and answers that it
 * does not take. Another address, which is a loopback address of its own here, still gets its own.
 */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import net from "node:net";
import { registerHealth, WATCHERS_MAX } from "../../src/rpc/health.ts";
import { limitsWithShare } from "../../src/rpc/listener_limits.ts";
import { REFLECTION_STREAMS_MAX, registerReflection } from "../../src/rpc/reflection.ts";
import { createRpcHandler } from "../../src/rpc/rpc_handler.ts";
import { call, many, openCall } from "../support/http2_calls.ts";
import { ERROR, FLAG, FRAME, frame, PREFACE, uint32 } from "../support/http2_frames.ts";
