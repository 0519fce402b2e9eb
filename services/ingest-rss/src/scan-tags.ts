import { Parser, type ParserOptions } from "htmlparser2";

/** htmlparser2 spends time on each open element for every further one; real documents are not nested like this. */
const MAX_DEPTH = 1_000;
const CHUNK_CHARS = 16 * 1024;

export interface TagHandler {
  opened(name: string, attributes: Readonly<Record<string, string>>): void;
  heard?(text: string): void;
  /** `isImplied`: the tag itself is missing. */
  closed?(name: string, isImplied: boolean): void;
}

/**
 * Tells `handler` of the tags and texts in `text` as they come, however malformed it is; ends early where elements are nested
 * deeper than 1,000. What the document leaves open is never closed. Linear in the length of `text`.
 */
export function scanTags(text: string, options: ParserOptions, handler: TagHandler): void {
  let depth = 0;
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        depth += 1;
        handler.opened(name, attributes);
      },
      ontext: (chunk) => handler.heard?.(chunk),
      onclosetag: (name, isImplied) => {
        depth -= 1;
        handler.closed?.(name, isImplied);
      },
    },
    options,
  );
  for (let at = 0; at < text.length && depth < MAX_DEPTH; at += CHUNK_CHARS)
    parser.write(text.slice(at, at + CHUNK_CHARS));
}
