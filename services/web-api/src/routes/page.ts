/**
 * The page, as it was built (`app/`): one document for all its addresses, and its files, whose names change with what is in
 * them. It runs its own scripts and styles, speaks with this very origin, and loads nothing from anywhere else.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import files from "@fastify/static";
import type { FastifyReply } from "fastify";
import type { App } from "../parts.ts";

const BUILT = join(import.meta.dirname, "../../app/dist");
/** The addresses of the page; what is behind the first part is the page's own affair. */
const ADDRESSES = ["/", "/stream/*", "/sources", "/ways", "/rules", "/account", "/operations"];
const hidden = { hide: true } as const;

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Tidings</title>
<p>The page has not been built; npm start does so. The interface is described at <a href="/docs">/docs</a>.</p>
</html>
`;

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export async function pageRoutes(app: App): Promise<void> {
  const document = join(BUILT, "index.html");
  const page = existsSync(document) ? readFileSync(document, "utf8") : NOT_BUILT;
  const show = async (_request: unknown, reply: FastifyReply) =>
    reply
      .headers({ "content-security-policy": POLICY, "cache-control": "no-cache" })
      .type("text/html; charset=utf-8")
      .send(page);
  for (const address of ADDRESSES) app.get(address, { schema: hidden }, show);
  if (page === NOT_BUILT) return;
  await app.register(files, {
    root: join(BUILT, "assets"),
    prefix: "/assets/",
    schemaHide: true,
    immutable: true,
    maxAge: "365d",
    index: false,
    preCompressed: true,
  });
  const icon = readFileSync(join(BUILT, "icon.svg"));
  app.get("/icon.svg", { schema: hidden }, async (_request, reply) => reply.type("image/svg+xml").send(icon));
}
