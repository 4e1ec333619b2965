/**
 * The page in a real browser: Debian's Chromium without a window, beside a server of the test's own. What the page may
 * not do is looked at in every test: nothing that its policy forbids, and no error that nobody catches.
 */
import axe from "axe-core";
import { assertEquals, equal } from "@std/assert";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { until } from "../../../src/base/bounded_wait.ts";
import { freePort } from "../../../tools/stack/ports.ts";
import { clientProgram } from "../../support/client_programs.ts";
import { createTestDatabase } from "../../support/database.ts";
import { type ServerOptions, startServer, type Step, type TestServer } from "../../support/server.ts";

/** How to test. */
export interface BrowserTestOptions extends ServerOptions {
  /** The browser's language; `en-US` where nothing is said. */
  readonly locale?: string;
  /** Where the first page goes; `/` where nothing is said. */
  readonly path?: string;
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** What a test has. */
export interface BrowserTest {
  /** A page at the server's console. */
  readonly page: Page;
  readonly server: TestServer;
  /** The profile that `page` is in; what is opened in it shares storage and workers. */
  readonly context: BrowserContext;
  readonly step: Step;
  /** Stops the server, and starts it again on the same port and data; `whileAway` runs between. */
  restart(whileAway?: () => Promise<void>): Promise<void>;
  /** One more tab of the same profile, at a path of the console. */
  open(path: string): Promise<Page>;
  /** A profile of its own, as another person's browser. Its pages are watched like the first one's. */
  profile(options?: Parameters<Browser["newContext"]>[0]): Promise<BrowserContext>;
}

/**
 * Longest wait for anything that a test waits for in a page, in ms: everything is on one busy machine, and only a hang
 * reaches it.
 */
const WAIT_MS_MAX = 60_000;
const VIEWPORT = { width: 1280, height: 800 };
/** Widths of pictures, in pixels: a phone, a tablet, a desk. */
const WIDTHS = { phone: 390, tablet: 820, desk: 1280 } as const;
/** The environment variable by which `deno task pictures` asks for them: each is drawn without a graphics card. */
const TAKE_PICTURES = "TAKE_PICTURES";
const PICTURES = new URL("../../../dist/pictures/", import.meta.url);
/** Of a page, when its test has failed. */
const SHOWN_CHARACTERS_MAX = 3_000;
/** What axe calls the two worst of its four grades. */
const SERIOUS = new Set(["serious", "critical"]);

/** Registers a test with a server, a browser and a page of the console. */
export function browserTest(
  name: string,
  { locale = "en-US", path = "/", viewport = VIEWPORT, ...options }: BrowserTestOptions,
  run: (test: BrowserTest) => Promise<void>,
): void {
  // The driver of the browser keeps timers and pipes of its own until it has closed.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false }, async (t) => {
    await using database = await createTestDatabase();
    const own = { ...options, database, env: { PORT: `${freePort()}`, ...options.env } };
    const server = await startServer(own);
    let running = server;
    const faults: string[] = [];
    let passed = true;
    const profiles: BrowserContext[] = [];
    try {
      const browser = await sharedBrowser();
      const profile: BrowserTest["profile"] = async (given = {}) => {
        const context = await browser.newContext({ locale, viewport, baseURL: server.url, ...given });
        profiles.push(context);
        context.setDefaultTimeout(WAIT_MS_MAX);
        await watchFaults(context, faults);
        return context;
      };
      const context = await profile();
      const open = async (path: string) => {
        const page = await context.newPage();
        await page.goto(path);
        return page;
      };
      const step: Step = async (title, part) => {
        const isGood = await t.step(title, part);
        if (!isGood) await sayPages(profiles);
        passed = isGood && passed;
      };
      const page = await open(path);
      const restart: BrowserTest["restart"] = async (whileAway) => {
        await running.stop();
        await whileAway?.();
        running = await startServer(own);
      };
      await run({ page, server, context, step, open, profile, restart });
      assertEquals(faults, [], "what pages must not do");
    } catch (error) {
      passed = false;
      await sayPages(profiles);
      throw error;
    } finally {
      await Promise.all(profiles.map((context) => context.close()));
      if (!passed) console.error(`--- log of the server of "${name}" ---\n${running.output.stderr}---`);
      await running.stop();
    }
  });
}

/** What their pages show, as those hear it who don't see: a test that fails somewhere else has no other witness. */
async function sayPages(profiles: readonly BrowserContext[]): Promise<void> {
  for (const page of profiles.flatMap((profile) => profile.pages())) {
    const shown = await page.locator("body").ariaSnapshot().catch((error) => `${error}`);
    console.error(`--- ${page.url()} shows ---\n${shown.slice(0, SHOWN_CHARACTERS_MAX)}\n---`);
  }
}

let shared: Promise<Browser> | undefined;

/** One for all tests of this process, each of which has profiles of its own in it. */
async function sharedBrowser(): Promise<Browser> {
  shared ??= launch();
  if (!(await shared).isConnected()) shared = launch();
  return await shared;
}

Deno.test.afterAll(async () => await (await shared)?.close());

function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: clientProgram("chromium"),
    // As root a browser starts without its sandbox alone.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    timeout: WAIT_MS_MAX,
  });
}

/** Notes what the policy forbade, and what was thrown and not caught. */
async function watchFaults(context: BrowserContext, faults: string[]): Promise<void> {
  context.on("weberror", (error) => faults.push(`${error.error().stack ?? error.error()}`));
  context.on("console", (message) => {
    if (message.text().startsWith("policy:")) faults.push(message.text());
  });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile, sample }) => {
      console.error(`policy: ${effectiveDirective} forbade ${blockedURI} ${sample} of ${sourceFile}`);
    });
  });
}

/** A call of a page that is held back. */
export interface HeldCall {
  /** Resolves once the page has made it. */
  readonly asked: Promise<void>;
  /** Lets it go on to the server. */
  release(): void;
}

/** Holds back the next call of the page whose address fits `pattern`; those behind it go on at once. */
export async function holdNext(page: Page, pattern: string): Promise<HeldCall> {
  const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await page.route(pattern, async (route) => {
    asked.resolve();
    await released.promise;
    await route.continue();
  }, { times: 1 });
  return { asked: asked.promise, release: released.resolve };
}

/**
 * Waits until a page shows this: what stands together is not always drawn together. What must not be there, or must
 * have stayed, is looked at once.
 */
export async function shows<T>(read: () => Promise<T>, wanted: T, message?: string): Promise<void> {
  let seen = await read();
  await until(async () => equal(seen = await read(), wanted), WAIT_MS_MAX);
  assertEquals(seen, wanted, message);
}

/**
 * Fails when axe finds something serious on the page as it is.
 *
 * @param without rules that can't be judged here, by their ids
 */
export async function checkAccessible(page: Page, without: readonly string[] = []): Promise<void> {
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(axe.source);
  const found = await page.evaluate(
    async (rules) =>
      (await (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
        resultTypes: ["violations"],
        rules: Object.fromEntries(rules.map((id) => [id, { enabled: false }])),
      })).violations.map(({ id, impact, help, nodes }) => ({
        id,
        impact: impact ?? "",
        help,
        where: nodes.slice(0, 5).map(({ target, html }) => `${target.join(" ")}: ${html.slice(0, 160)}`),
      })),
    [...without],
  );
  assertEquals(found.filter(({ impact }) => SERIOUS.has(impact)), [], page.url());
}

/**
 * Keeps pictures of the page in `dist/pictures` where {@link TAKE_PICTURES} is set: light and dark, at the width of a
 * phone, a tablet and a desk. The page has its own size and colours again afterwards.
 */
export async function takePictures(page: Page, name: string): Promise<void> {
  if (Deno.env.get(TAKE_PICTURES) === undefined) return;
  const { width, height } = page.viewportSize() ?? VIEWPORT;
  await Deno.mkdir(PICTURES, { recursive: true });
  for (const [device, width] of Object.entries(WIDTHS)) {
    await page.setViewportSize({ width, height: device === "phone" ? 844 : 800 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const path = new URL(`${name}_${device}_${colorScheme}.png`, PICTURES);
      await Deno.writeFile(path, await page.screenshot({ animations: "disabled" }));
    }
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  await page.setViewportSize({ width, height });
}
