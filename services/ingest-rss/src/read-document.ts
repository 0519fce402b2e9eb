import type { Hub, Item } from "@tidings/protocol";
import { decodeText } from "./decode.ts";
import { feedsNamedBy } from "./discover.ts";
import { hubOf } from "./hubs.ts";
import { normaliseFeed } from "./normalise.ts";
import { parseDocument } from "./parse.ts";

/** A document as it was fetched; plain values only, so that it can be handed to another thread. */
export interface FetchedDocument {
  readonly body: Uint8Array;
  readonly contentType: string;
  /** Where it was found. */
  readonly url: string;
  /** The Link header fields that came with it. */
  readonly link?: string;
  /** Localpart of the source avatar whose items these would be. */
  readonly source: string;
}

export type Reading =
  | {
      readonly kind: "feed";
      readonly title: string | null;
      readonly items: readonly Item[];
      readonly hub: Hub | null;
    }
  /** An HTML page and the feeds that it names, best first. */
  | { readonly kind: "page"; readonly feeds: readonly string[] }
  | { readonly kind: "other" }
  | { readonly kind: "broken" };

/** Reads a document: the bytes to text, the text to a feed, the feed to items. Never rejects on what it reads. */
export async function readDocument(document: FetchedDocument, isCareful: boolean): Promise<Reading> {
  const text = decodeText(document.body, document.contentType);
  const parsed = await parseDocument(text, isCareful);
  switch (parsed.kind) {
    case "feed":
      return {
        kind: "feed",
        ...normaliseFeed(parsed.feed, document.source, document.url),
        hub: hubOf(text, document.link ?? "", document.url),
      };
    case "page":
      return { kind: "page", feeds: feedsNamedBy(text, document.url) };
    case "other":
    case "broken":
      return parsed;
  }
}
