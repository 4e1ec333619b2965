/** Loaded by `deno test` before each file of tests. */
import { limited, TEST_MS_MAX } from "./test_limit.ts";

Object.assign(Deno, { test: Object.assign(limited(Deno.test, TEST_MS_MAX), Deno.test) });
