/** A URL that cannot be a feed's address; `message` is a sentence for the person who typed it. */
export class FeedAddressError extends Error {
  override readonly name = "FeedAddressError";
}

/**
 * One spelling for one feed: scheme and host in lower case and default port dropped (WHATWG URL), no fragment, no
 * credentials, dot segments resolved, percent-encoding in capitals (RFC 3986 §6.2.2), `feed:` and bare hosts understood.
 * Throws {@link FeedAddressError}.
 */
export function canonicalFeedUrl(typed: string): string {
  const url = parseTyped(typed.trim());
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new FeedAddressError("A feed address begins with http:// or https://.");
  }
  if (url.username !== "" || url.password !== "") {
    throw new FeedAddressError("A feed address must not hold a user name or a password.");
  }
  url.hash = "";
  url.hostname = url.hostname.replace(/\.$/, "");
  url.pathname = normaliseEscapes(url.pathname);
  // A query that is empty is written "" by the URL standard, and yet leaves its "?" until it is set.
  if (url.search === "") url.search = "";
  return url.href;
}

function parseTyped(typed: string): URL {
  if (typed.length > 2_000) throw new FeedAddressError("This address is longer than 2,000 characters.");
  const text = typed.replace(/^feed:(\/\/)?(?=https?:)/i, "").replace(/^feed:/i, "http:");
  const withScheme =
    /^[a-z][a-z0-9+.-]*:/i.test(text) && !/^[^/:]+:\d+/.test(text) ? text : `https://${text}`;
  try {
    return new URL(withScheme);
  } catch (cause) {
    throw new FeedAddressError("This is not a web address. Paste the address of a page or a feed.", {
      cause,
    });
  }
}

function normaliseEscapes(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const char = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(char) ? char : encoded.toUpperCase();
  });
}
