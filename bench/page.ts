/** The page in a real browser: what it loads, when it can be used, how soon it shows what is new, and how it scrolls. */
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Stack } from "../run/stack.ts";
import type { Tell } from "../run/supervised.ts";
import { post } from "./client.ts";
import { type Figure, percentile } from "./figures.ts";

const CHROMIUM = "/usr/bin/chromium";
const NAME = "reader";
const PASSWORD = "open sesame on the page";
const LOADS = 10;
const NEWS = 200;
const NEWS_EVERY_MS = 50;
const HISTORY = 10_000;
const AT_A_TIME = 64;
const KILOBYTE = 1_024;
/** Three frames of a screen that shows sixty in a second: one that takes longer is seen as a jerk (milliseconds). */
const JERK_MS = 50;

export async function measurePage(tell: Tell, stack: Stack): Promise<Figure[]> {
  if (!existsSync(CHROMIUM))
    throw new Error("There is no Chromium; install Debian's package chromium (npm test does).");
  await post(stack, "/v1/users", { name: NAME, password: PASSWORD });
  const { token } = await post<{ token: string }>(stack, "/v1/sessions", { name: NAME, password: PASSWORD });
  const { url } = await post<{ url: string }>(stack, "/v1/publishers", { title: "bench" }, token);
  const publish = async (title: string) => {
    const answer = await fetch(url, { method: "POST", body: title });
    if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
  };
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    tell(`loading the page ${LOADS} times, each without a cache`);
    const loads = await measureLoads(browser, stack);
    const page = await signedIn(browser, stack);
    tell(`publishing ${NEWS} messages, one after the other, to a page that is open`);
    const news = await measureNews(page, stack, token, publish);
    tell(`publishing ${HISTORY} messages, and scrolling through all of them`);
    await fill(publish);
    const scroll = await measureScroll(await signedIn(browser, stack));
    return [...loads, ...news, ...scroll];
  } finally {
    await browser.close();
  }
}

async function measureLoads(browser: Browser, stack: Stack): Promise<Figure[]> {
  const times: number[] = [];
  let script = 0;
  let shift = 0;
  for (let load = 0; load < LOADS; load++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const sizes: Promise<number>[] = [];
    page.on("requestfinished", (request) => {
      if (request.resourceType() !== "script") return;
      sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
    });
    await page.addInitScript(`{
      window.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shift += entry.value;
      }).observe({ type: "layout-shift", buffered: true });
    }`);
    const beganMs = performance.now();
    await page.goto(stack.webUrl);
    await page.getByLabel("Name").fill("a");
    times.push(performance.now() - beganMs);
    script = (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
    shift = Math.max(shift, (await page.evaluate("window.shift")) as number);
    await context.close();
  }
  return [
    {
      name: "scripts of the first load, compressed",
      value: script / KILOBYTE,
      unit: "KB",
      target: { most: 60 },
    },
    {
      name: "first load until the door takes a key, median",
      value: percentile(times, 0.5),
      unit: "ms",
      target: { most: 500 },
    },
    {
      name: "layout shift of the first load",
      value: shift,
      unit: "",
      target: { most: 0.1 },
      beside: "cumulative, as Lighthouse counts it",
    },
  ];
}

async function signedIn(browser: Browser, { webUrl }: Stack): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1_200, height: 800 } })).newPage();
  await page.goto(webUrl);
  await page.getByLabel("Name").fill(NAME);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation").waitFor();
  return page;
}

/** From the moment at which the avatar took it, by its trace, to its title in the page, by the same machine's clock. */
async function measureNews(
  page: Page,
  { webUrl }: Stack,
  token: string,
  publish: (title: string) => Promise<void>,
): Promise<Figure[]> {
  await page.evaluate(`{
    window.seen = {};
    new MutationObserver(() => {
      for (const title of document.querySelectorAll(".stream .title")) window.seen[title.textContent] ??= Date.now();
    }).observe(document.body, { childList: true, subtree: true });
  }`);
  // A page that has just been opened still reads its history.
  await publish("a first one");
  await page.getByText("a first one").waitFor();
  for (let number = 0; number < NEWS; number++) {
    await publish(`news ${number}`);
    await pause(NEWS_EVERY_MS);
  }
  await page.getByText(`news ${NEWS - 1}`).waitFor();
  const seen = (await page.evaluate("window.seen")) as Record<string, number>;
  const headers = { authorization: `Bearer ${token}` };
  const { items } = (await (await fetch(`${webUrl}/v1/history?limit=${NEWS}`, { headers })).json()) as {
    items: { id: string; title: string }[];
  };
  const waits = await Promise.all(
    items.map(async ({ id, title }) => {
      const answer = await fetch(`${webUrl}/v1/history/${id}`, { headers });
      const { trace } = (await answer.json()) as { trace: { at: string; state: string | null }[] };
      const taken = trace.find(({ state }) => state !== null);
      return (seen[title] ?? Number.NaN) - Date.parse(taken?.at ?? "");
    }),
  );
  return [
    { name: "avatar to page, p50", value: percentile(waits, 0.5), unit: "ms" },
    { name: "avatar to page, p99", value: percentile(waits, 0.99), unit: "ms", target: { most: 100 } },
  ];
}

async function fill(publish: (title: string) => Promise<void>): Promise<void> {
  let left = HISTORY;
  const worker = async () => {
    while (left-- > 0) await publish(`item ${left}`);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

/** Frames while the reader goes on to the end of all that there is, and back to the top. */
async function measureScroll(page: Page): Promise<Figure[]> {
  await page.locator(".stream > li").first().waitFor();
  const frames = (await page.evaluate(`(async () => {
    const frames = [];
    let before = performance.now();
    let still = 0;
    const frame = () => new Promise(requestAnimationFrame);
    while (still < 180) {
      const height = document.documentElement.scrollHeight;
      scrollBy(0, 400);
      await frame();
      const now = performance.now();
      frames.push(now - before);
      before = now;
      still = document.documentElement.scrollHeight === height && scrollY + innerHeight >= height - 1 ? still + 1 : 0;
    }
    while (scrollY > 0) {
      scrollBy(0, -4_000);
      await frame();
      const now = performance.now();
      frames.push(now - before);
      before = now;
    }
    return frames;
  })()`)) as number[];
  const shown = await page.locator(".stream > li").count();
  const jerks = frames.filter((ms) => ms > JERK_MS).length / frames.length;
  return [
    { name: "items in the stream, scrolled through", value: shown, unit: "", target: { least: HISTORY } },
    {
      name: "frame while scrolling, p99",
      value: percentile(frames, 0.99),
      unit: "ms",
      target: { most: JERK_MS },
    },
    { name: "frames that are seen as jerks", value: jerks * 100, unit: "%" },
  ];
}
