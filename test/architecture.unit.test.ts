/** The shape that ARCHITECTURE.md draws, checked: who may import whom, who touches the process, how long a file may be. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const CODE_LINES = 400;
const TEST_LINES = 600;
const MAIN_LINES = 40;

/** What each package may use of the others; services may use all of them, and tests the testkit as well. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  runtime: ["protocol"],
  bus: ["protocol", "runtime"],
  queue: ["protocol", "runtime"],
  store: ["protocol", "runtime"],
  agent: ["protocol", "runtime", "bus", "queue"],
  outbound: ["runtime"],
  ingest: ["protocol"],
  mail: [],
  testkit: ["protocol", "runtime", "bus", "queue", "store"],
};

interface Source {
  /** Relative to the checkout. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly isTest: boolean;
  /** `packages/bus`, `services/web-api`, `run`, `test`. */
  readonly home: string;
}

const sources = ["packages", "services", "run", "cli", "test", "bench"].flatMap((folder) => read(folder));

test("the check sees the code that it is about", () => {
  const homes = new Set(sources.map(({ home }) => home));
  for (const name of Object.keys(MAY_IMPORT)) expect(homes).toContain(`packages/${name}`);
  expect([...homes].filter((home) => home.startsWith("services/")).length).toBeGreaterThanOrEqual(4);
});

/** Plays look behind the scenes, and the bench fills stores with rows that the avatars themselves have made. */
const OUTSIDE: ReadonlySet<string> = new Set(["test", "bench"]);

test("services meet on the bus or in a queue, never by import", () => {
  const wrong = imports().filter(
    ({ by, target }) => target.startsWith("services/") && target !== by.home && !OUTSIDE.has(by.home),
  );
  expect(wrong.map(sentence)).toEqual([]);
});

test("packages import only what lies below them: protocol ← bus, queue, store, runtime ← services", () => {
  const wrong = imports().filter(({ by, target }) => {
    const [kind, name = ""] = by.home.split("/");
    if (kind !== "packages" || target === by.home) return false;
    const isForTests = by.isTest && target === "packages/testkit";
    return !isForTests && !(MAY_IMPORT[name] ?? []).some((below) => target === `packages/${below}`);
  });
  expect(wrong.map(sentence)).toEqual([]);
});

test("the testkit is imported by tests only", () => {
  const wrong = imports().filter(
    ({ by, target }) =>
      target === "packages/testkit" && !by.isTest && !["packages/testkit", "test", "bench"].includes(by.home),
  );
  expect(wrong.map(sentence)).toEqual([]);
});

test("in a service only main.ts touches the process", () => {
  const wrong = services().filter(
    ({ path, isTest, text }) =>
      !isTest && !path.endsWith("/main.ts") && /\bprocess\.\w|"node:process"/.test(code(text)),
  );
  expect(wrong.map(({ path }) => `${path} touches process`)).toEqual([]);
});

test("main.ts is wiring, and short", () => {
  const mains = services().filter(({ path }) => path.endsWith("/src/main.ts"));
  expect(mains.length).toBeGreaterThanOrEqual(4);
  const wrong = mains.filter(({ lines }) => lines > MAIN_LINES);
  expect(wrong.map(({ path, lines }) => `${path} has ${lines} lines`)).toEqual([]);
});

test("a file is about one thing, and so is not long", () => {
  const wrong = sources.filter(({ isTest, lines }) => lines > (isTest ? TEST_LINES : CODE_LINES));
  expect(wrong.map(({ path, lines }) => `${path} has ${lines} lines`)).toEqual([]);
});

interface Import {
  readonly by: Source;
  readonly what: string;
  /** Home of what is imported, as in {@link Source.home}. */
  readonly target: string;
}

/** Every import of one part of the project by a file. */
function imports(): Import[] {
  return sources.flatMap((by) => {
    const found = code(by.text).matchAll(/(?:from|import|import\()\s*"([^"]+)"/g);
    return [...found].flatMap(([, what = ""]) => {
      const target = targetOf(by.path, what);
      return target === null ? [] : [{ by, what, target }];
    });
  });
}

function targetOf(path: string, what: string): string | null {
  const workspace = /^@tidings\/([a-z-]+)/.exec(what)?.[1];
  if (workspace !== undefined)
    return existsSync(join(ROOT, "packages", workspace)) ? `packages/${workspace}` : `services/${workspace}`;
  return what.startsWith(".") ? homeOf(join(path, "..", what)) : null;
}

function sentence({ by, what }: Import): string {
  return `${by.path} imports ${what}`;
}

function services(): Source[] {
  return sources.filter(({ home }) => home.startsWith("services/"));
}

function read(folder: string): Source[] {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".ts"));
  return files.flatMap(({ parentPath, name }) => {
    const path = relative(ROOT, join(parentPath, name));
    if (path.includes("node_modules")) return [];
    const text = readFileSync(join(ROOT, path), "utf8");
    const isTest = /\.test\.ts$|\/describe-[a-z]+\.ts$/.test(path);
    return [{ path, text, lines: text.trimEnd().split("\n").length, isTest, home: homeOf(path) }];
  });
}

function homeOf(path: string): string {
  const [top = "", name = ""] = path.split("/");
  return top === "packages" || top === "services" ? `${top}/${name}` : top;
}

/** The text without comments, in which words stand for themselves. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
}
