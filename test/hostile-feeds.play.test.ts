/** Feeds that are broken, huge, slow or hostile: each gets a clear answer in good time, and everybody else's news come. */
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Feed, rss } from "./theatre/feed.ts";
import type { Answer } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";
import { Witness } from "./theatre/witness.ts";

const MB = 1024 * 1024;
const TOO_LARGE = /larger than 5 MB/;
const NO_FEED = /no feed/;

const theatre = openTheatre();
let witness: Witness;
beforeAll(async () => {
  witness = await Witness.arrives();
});
afterEach(() => theatre.clears());
afterAll(() => witness?.leaves());

/** What somebody hears who wants to subscribe to `url`, and how long that takes (milliseconds). */
async function triesToFollow(url: string): Promise<Answer & { tookMs: number }> {
  const alice = await theatre.user("alice");
  const startedAtMs = performance.now();
  const answer = await alice.rest.post("/v1/subscriptions", { url });
  const tookMs = performance.now() - startedAtMs;
  expect((await alice.rest.get("/v1/subscriptions")).body.items).toHaveLength(answer.status < 300 ? 1 : 0);
  return { ...answer, tookMs };
}

/** Sends `chunk` again and again, as fast as it is taken, for `times` or for ever. */
function pours(response: ServerResponse, chunk: Buffer, times = Number.POSITIVE_INFINITY): void {
  let left = times;
  const pour = () => {
    while (left > 0 && !response.destroyed) {
      left -= 1;
      if (!response.write(chunk)) return void response.once("drain", pour);
    }
    response.end();
  };
  pour();
}

interface BadSite {
  readonly what: string;
  readonly serve: (feed: Feed) => void;
  readonly sentence: RegExp;
  readonly withinMs: number;
}

const SPACES = Buffer.alloc(64 * 1024, " ");

const SITES: readonly BadSite[] = [
  {
    what: "a picture",
    serve: (feed) => feed.serves(Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1")),
    sentence: NO_FEED,
    withinMs: 3_000,
  },
  {
    what: "a page that names no feed",
    serve: (feed) => feed.serves("<!doctype html><title>Hello</title><p>Nothing to follow here."),
    sentence: NO_FEED,
    withinMs: 3_000,
  },
  {
    what: "nothing at all",
    serve: (feed) => feed.answersBy((_request, response) => void response.writeHead(404).end()),
    sentence: /404/,
    withinMs: 3_000,
  },
  {
    what: "a server that breaks off",
    serve: (feed) => feed.answersBy((request) => void request.socket.destroy()),
    sentence: /cannot be reached|takes no connections/,
    withinMs: 5_000,
  },
  {
    what: "a feed of 50 MB",
    serve: (feed) =>
      feed.answersBy((_request, response) => {
        response.write('<?xml version="1.0"?><rss version="2.0"><channel><title>');
        pours(response, SPACES, (50 * MB) / SPACES.length);
      }),
    sentence: TOO_LARGE,
    withinMs: 10_000,
  },
  {
    what: "a feed that never ends",
    serve: (feed) => feed.answersBy((_request, response) => pours(response, SPACES)),
    sentence: TOO_LARGE,
    withinMs: 10_000,
  },
  {
    what: "a feed that unpacks to 100 MB",
    serve: (feed) => {
      const bomb = gzipSync(Buffer.alloc(100 * MB, " "));
      feed.answersBy(
        (_request, response) => void response.writeHead(200, { "content-encoding": "gzip" }).end(bomb),
      );
    },
    sentence: TOO_LARGE,
    withinMs: 10_000,
  },
  {
    what: "a redirect to itself",
    serve: (feed) =>
      feed.answersBy((_request, response) => void response.writeHead(302, { location: feed.url }).end()),
    sentence: /redirects more than/,
    withinMs: 5_000,
  },
  ...[
    "http://169.254.169.254/latest/meta-data/",
    "http://10.255.255.1/",
    "http://[fd00::1]/",
    "http://0x0a000001/",
  ].map((address) => ({
    what: `a redirect to the private address ${address}`,
    serve: (feed: Feed) =>
      feed.answersBy((_request, response) => void response.writeHead(302, { location: address }).end()),
    sentence: /private network/,
    withinMs: 3_000,
  })),
  {
    what: "a redirect to a file",
    serve: (feed) =>
      feed.answersBy(
        (_request, response) => void response.writeHead(302, { location: "file:///etc/passwd" }).end(),
      ),
    sentence: /no web address/,
    withinMs: 3_000,
  },
];

test.each(SITES)(
  "at the address there is $what: refused with the reason, and soon",
  async ({ serve, sentence, withinMs }) => {
    const feed = await theatre.feed("trouble");
    serve(feed);
    const { status, body, tookMs } = await triesToFollow(feed.url);
    expect(body).toMatchObject({ status: 422, detail: expect.stringMatching(sentence) });
    expect(status).toBe(422);
    expect(tookMs).toBeLessThan(withinMs);
    await witness.stillHears();
  },
);

test.each([
  ["http://10.255.255.1/", /private network/],
  ["http://[::ffff:169.254.169.254]/", /private network/],
  ["http://192.168.1.1:22/", /private network/],
  ["file:///etc/passwd", /http/],
  ["javascript:alert(1)", /http/],
  ["http://alice:secret@127.0.0.1/feed", /password/],
  ["not an address", /web address/],
])("%s is refused at once", async (url, sentence) => {
  const { status, body, tookMs } = await triesToFollow(url);
  expect(body).toMatchObject({ status: 422, detail: expect.stringMatching(sentence) });
  expect(status).toBe(422);
  expect(tookMs).toBeLessThan(2_000);
});

test("an address of 3,000 characters is refused at once", async () => {
  const { body } = await triesToFollow(`http://127.0.0.1/${"x".repeat(3_000)}`);
  expect(body).toMatchObject({ status: 422, detail: expect.stringMatching(/2,000/) });
});

test("a server that sends a byte now and then is given up, and holds up nobody", async () => {
  const feed = await theatre.feed("drops");
  const timers: NodeJS.Timeout[] = [];
  feed.answersBy((_request, response) => {
    response.write("<rss>");
    timers.push(setInterval(() => response.write(" "), 500));
  });
  const refusal = triesToFollow(feed.url);
  await witness.stillHears();
  const { status, body, tookMs } = await refusal;
  for (const timer of timers) clearInterval(timer);
  expect(body).toMatchObject({ status: 422, detail: expect.stringMatching(/did not answer in time/) });
  expect(status).toBe(422);
  expect(tookMs).toBeLessThan(35_000);
});

test("a feed that breaks after the subscription is shown as failing with the reason, and goes on when it is repaired", async () => {
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("moody")]);
  const [id] = await Promise.all([alice.subscribes(feed), alice.comesOnline()]);
  feed.serves("<html><body>We will be back soon.</body></html>");
  await alice.hasSubscription(id, { state: "failing", problem: expect.stringMatching(NO_FEED) });
  feed.serves(rss("moody", [{ guid: "back", title: "We are back" }]));
  await alice.hears("We are back", { withinMs: 20_000 });
  await alice.hasSubscription(id, { state: "active", problem: null });
});
