/**
 * Tokens that name their user, so that any web-api process knows which avatar to ask, and hold a secret that only this avatar
 * can check: `<kind>_<base64url(name)>_<secret>`.
 */
import { userNameProblem } from "@tidings/protocol";

/** `tds`: a session. `tdt`: an API token. `tdf`: a private feed. */
export type TokenKind = "tds" | "tdt" | "tdf";

/** The token of `kind` for `secret` of the user `name`. */
export function tokenFor(kind: TokenKind, name: string, secret: string): string {
  return `${kind}_${Buffer.from(name).toString("base64url")}_${secret}`;
}

/** What a token of `kind` holds; null when it cannot be one. Whether it counts only the avatar knows. */
export function heldBy(
  kind: TokenKind,
  token: string,
): { readonly name: string; readonly secret: string } | null {
  const [, its, encoded = "", secret = ""] =
    /^([a-z]{3})_([A-Za-z0-9-]{2,60})_([\x21-\x7e]{8,200})$/.exec(token) ?? [];
  if (its !== kind) return null;
  const name = Buffer.from(encoded, "base64url").toString("latin1");
  return userNameProblem(name) === null ? { name, secret } : null;
}
