/**
 * Real feeds, kept beside the checkout and not in it. Titles and links here were read from the documents themselves; the rest
 * of the corpus is checked for what must hold of every feed.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { check, Item, isSendable } from "@tidings/protocol";
import { expect, test } from "vitest";
import { decodeText } from "./decode.ts";
import { idOf, type PlainItem, readPlainly } from "./plain-reader.ts";
import { type Reading, readDocument } from "./read-document.ts";

const ADDRESS = "https://feeds.example/feed";
const CORPUS = new URL("../../../../shared/corpus/feeds/", import.meta.url);
/** What is in the corpus and is no feed. */
const NO_FEEDS = new Set(["unrecognized.rss"]);
/** A feed whose only entry says nothing: no id, no link, no text. */
const NO_ITEMS = new Set(["incomplete-fields.atom"]);

const names = existsSync(CORPUS) ? readdirSync(CORPUS) : [];
if (names.length === 0) console.info(`real feeds are not checked: there is no ${CORPUS.pathname}`);

interface Expected {
  readonly title: string | null;
  readonly count: number;
  /** The newest item. */
  readonly newest: Partial<Item>;
}

const EXPECTED: Readonly<Record<string, Expected>> = {
  "heise.atom": {
    title: "heise developer neueste Meldungen",
    count: 15,
    newest: {
      title: "Java-Anwendungsserver: Red Hat gibt WildFly 10 frei",
      link: "http://www.heise.de/developer/meldung/Java-Anwendungsserver-Red-Hat-gibt-WildFly-10-frei-3088438.html?wt_mc=rss.developer.beitrag.atom",
      publishedAt: Date.parse("2016-02-01T17:22:00+01:00"),
    },
  },
  "uolNoticias.rss": {
    title: "UOL Noticias",
    count: 15,
    newest: {
      title: "Ibope: Bolsonaro perde de Haddad, Ciro e Alckmin em simulações de 2º turno",
      publishedAt: Date.parse("2018-09-24T19:42:40-03:00"),
    },
  },
  "encoding.rss": {
    title: "Jornal de Notícias - Últimas Notícias",
    count: 40,
    newest: {
      title: "Reações dos partidos ao veto de Marcelo",
      publishedAt: Date.parse("2018-01-03T13:48:00Z"),
    },
  },
  "gulp-atom.atom": {
    title: "Release notes from gulp",
    count: 10,
    newest: {
      title: "v3.9.0",
      link: "https://github.com/gulpjs/gulp/releases/tag/v3.9.0",
      author: "contra",
      summary: "3.9.0",
    },
  },
  "many-links.rss": {
    title: "Google Testing Blog",
    count: 25,
    newest: {
      title: "Code Health: Providing Context with Commit Messages and Bug Reports",
      link: "http://feedproxy.google.com/~r/blogspot/RLXA/~3/lTnHFI_mRTg/code-health-providing-context-with.html",
      author: "Google Testing Bloggers",
    },
  },
  "craigslist.rss": {
    title: "craigslist SF bay area | apts/housing for rent search",
    count: 25,
    newest: {
      title: "Bright, Spacious Beautiful Victorian (oakland north / temescal) $4300 3bd 1930ft2",
      link: "http://sfbay.craigslist.org/eby/apa/6186664607.html",
    },
  },
  "heraldsun.rss": {
    title: "RSS0.92 Example",
    count: 2,
    newest: { title: "The First Item", link: "http://www.oreilly.com/example/001.html", publishedAt: null },
  },
  "giantbomb-podcast.rss": {
    title: "Giant Bombcast",
    count: 730,
    newest: {
      title: "Giant Bombcast 603: Call of Tuesday",
      link: "https://www.giantbomb.com/shows/603-call-of-tuesday/2970-19653/free-podcast",
      publishedAt: Date.parse("2019-10-01T14:30:00-08:00"),
    },
  },
  "itunes-href.rss": {
    title: "Transfermarkt",
    count: 10,
    newest: {
      title:
        "Manager bewertet Transfers | Eberl lobt BVB für Pulisic-Deal – Hudson-Odoi kostet „fast so viel wie mein Kader“",
      author: "Transfermarkt",
    },
  },
  "atom-customfields.atom": {
    title: "L2inc",
    count: 15,
    newest: {
      title: "Buy Now, Bitches*",
      link: "https://www.youtube.com/watch?v=lR-w1h5ONOY",
      author: "L2inc",
    },
  },
};

async function readingOf(name: string): Promise<Reading> {
  const body = readFileSync(new URL(name, CORPUS));
  return readDocument({ body, contentType: "", url: ADDRESS, source: "rss.corpus" }, false);
}

test.runIf(names.length > 0)(
  "the real feeds give items that may travel, each with a title, an id of its own and a time or none",
  async () => {
    for (const name of names) {
      const reading = await readingOf(name);
      expect([name, reading.kind === "feed"]).toEqual([name, !NO_FEEDS.has(name)]);
      if (reading.kind !== "feed") continue;
      expect([name, reading.items.length > 0]).toEqual([name, !NO_ITEMS.has(name)]);
      expect(new Set(reading.items.map(({ id }) => id)).size).toBe(reading.items.length);
      for (const item of reading.items) {
        check(Item, item, name);
        expect([name, item.title !== "" && isSendable(item.title) && isSendable(item.summary ?? "")]).toEqual(
          [name, true],
        );
      }
    }
  },
);

/** What no reader that follows the specifications could read. */
const ILL_FORMED = new Set(["uolNoticias.rss", ...NO_FEEDS, ...NO_ITEMS]);
/** The address of the page, against which the links of a feed are resolved that does not stand where it was found. */
const PAGES: Readonly<Record<string, string>> = { "gulp-atom.atom": "https://github.com/" };

test.each(names.filter((name) => !ILL_FORMED.has(name)))(
  "%s is read as a plain reader reads it: titles, links, ids, dates and authors",
  async (name) => {
    const reading = await readingOf(name);
    if (reading.kind !== "feed") return expect.unreachable(`${name} is a feed`);
    const page = PAGES[name] ?? ADDRESS;
    const plain = new Map(
      readPlainly(decodeText(readFileSync(new URL(name, CORPUS)), ""))
        .toReversed()
        .map((item) => [
          idOf("rss.corpus", item.identity ?? ""),
          { ...item, link: resolved(item.link, page) },
        ]),
    );
    expect(reading.items.length).toBe(plain.size);
    for (const { id, title, link, author, publishedAt } of reading.items)
      expect({ title, link, author, publishedAt }).toEqual(
        expect.objectContaining({ ...shown(plain.get(id)), publishedAt: plain.get(id)?.publishedAt ?? null }),
      );
  },
);

function shown(item: PlainItem | undefined): Partial<Item> {
  return { title: item?.title ?? "(no title)", link: item?.link ?? null, author: item?.author ?? null };
}

function resolved(link: string | null, page: string): string | null {
  return link === null ? null : new URL(link, page).href;
}

test.each(Object.entries(EXPECTED).filter(([name]) => names.includes(name)))(
  "%s is read as it is written",
  async (name, { title, count, newest }) => {
    const reading = await readingOf(name);
    if (reading.kind !== "feed") return expect.unreachable(`${name} is a feed`);
    expect({ title: reading.title, count: reading.items.length }).toEqual({ title, count });
    expect(reading.items.at(-1)).toMatchObject(newest);
  },
);
