/** Debian's Chromium with the page in it, as somebody has it before them. */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

const CHROMIUM = "/usr/bin/chromium";
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
/** Where pictures of the pages go; empty: nowhere. */
const PICTURES = process.env.TIDINGS_TEST_PICTURES ?? "";
const DESK = { width: 1_200, height: 800 };
export const PHONE = { width: 390, height: 780 };

let browser: Promise<Browser> | null = null;

/** A window of its own, with no cookies; what goes wrong in it is in `troubles`. */
export class Window {
  readonly page: Page;
  /** What the page's console and the browser complained of, and requests to anywhere else. */
  readonly troubles: string[] = [];
  readonly #context: BrowserContext;
  readonly #home: string;

  private constructor(context: BrowserContext, page: Page, home: string) {
    [this.#context, this.page, this.#home] = [context, page, home];
    page.on("pageerror", (error) => this.troubles.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("Failed to load resource"))
        this.troubles.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(home) && !request.url().startsWith("data:"))
        this.troubles.push(`asked ${request.url()}`);
    });
  }

  static async open(home: string, viewport = DESK): Promise<Window> {
    browser ??= chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
    const context = await (await browser).newContext({ viewport, reducedMotion: "reduce", locale: "en-GB" });
    return new Window(context, await context.newPage(), home);
  }

  /** Signs somebody in on the page, which shows `path` then. */
  async signsIn({ name, password }: { readonly name: string; readonly password: string }, path = "/") {
    const { page } = this;
    await page.goto(`${this.#home}${path}`);
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("navigation").waitFor();
  }

  /** Goes to another page of the app by its name in the navigation. */
  async goesTo(name: string): Promise<void> {
    await this.page.getByRole("navigation").getByRole("link", { name }).click();
    await this.page.getByRole("heading", { name, level: 1 }).waitFor();
  }

  /** Takes a picture for people to look at, called `name`. */
  async isPictured(name: string): Promise<void> {
    if (PICTURES === "") return;
    mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`) });
  }

  /** What axe-core finds serious or worse is nothing. */
  async isAccessible(): Promise<void> {
    await this.page.evaluate(readFileSync(AXE, "utf8"));
    const found = (await this.page.evaluate("axe.run()")) as {
      violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
    };
    const grave = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    const told = grave.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => [id, html, failureSummary]),
    );
    expect(told).toEqual([]);
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}

/** Ends the browser; the next window starts another one. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = null;
}
