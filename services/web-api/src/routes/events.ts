/** What happens, as it happens: server-sent events (HTML Living Standard §9.2), for a page that is open. */
import { once } from "node:events";
import { CallError, MOST_SHOWN } from "@tidings/protocol";
import { gauge } from "@tidings/runtime";
import type { FastifyReply } from "fastify";
import Type from "typebox";
import type { AvatarCalls } from "../avatar-calls.ts";
import { LivePage, standIn } from "../live/live-page.ts";
import type { App, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";
import { type Caller, callerIn } from "../session.ts";
import { ChangeHeaders, Empty, Nullable, PROBLEMS, SIGNED_IN, Strict, Time } from "../shapes.ts";
import { itemOf } from "./history.ts";
import { presenceOf } from "./me.ts";

const MOST_PAGES_OF_USER = 20;

const PAGE_ID = "^[A-Za-z0-9_-]{8,64}$";

const schema = {
  tags: ["history"],
  security: SIGNED_IN,
  operationId: "events",
  summary: "What happens, as server-sent events",
  description:
    "`notification` (a new one, as in the history), `delivery` (one that has moved on, as it is now), `presence` (as in /v1/me), " +
    "`reset` (more has happened than is sent: read the history again), `standing` (a page is to say how it stands). With " +
    "Last-Event-ID it goes on where it was.",
  headers: Type.Object({ "last-event-id": Type.Optional(Type.String({ maxLength: 100 })) }),
  querystring: Type.Object({
    after: Type.Optional(Type.String({ maxLength: 100 })),
    page: Type.Optional(
      Type.String({
        pattern: PAGE_ID,
        description: "Of a page that says what it shows, see POST /v1/pages/{id}.",
      }),
    ),
  }),
  response: { 200: Type.String(), ...PROBLEMS },
} as const;

const saysSchema = {
  tags: ["history"],
  security: SIGNED_IN,
  operationId: "pageSays",
  summary: "How an open page stands, and what it has shown",
  description:
    "A page is a channel like others (`web`): what it has shown is received, and counts on the ladder.",
  params: Type.Object({ id: Type.String({ pattern: PAGE_ID }) }),
  headers: ChangeHeaders,
  body: Strict(
    {
      show: Type.Enum(["available", "away", "offline"], {
        description:
          "`available`: before the user; `away`: not, but the browser shows what comes; `offline`: nothing would be seen.",
      }),
      idleSince: Type.Optional(Nullable(Time)),
      shown: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
          maxItems: MOST_SHOWN,
          description: "Ids of notifications that the user could see since the last time.",
        }),
      ),
    },
    { examples: [{ show: "available", shown: ["0b7c5f6e9f1d4b35a6f8b8b1f5a7c9e2"] }] },
  ),
  response: { 204: Empty, ...PROBLEMS },
} as const;

export function eventRoutes(app: App, { avatars, live }: Parts): void {
  const open = new Set<LivePage>();
  gauge("tidings_pages_open", "Pages that are told what happens.", () => open.size);
  app.addHook("preClose", async () => {
    for (const page of open) page.end();
  });

  app.get("/v1/events", { schema }, async (request, reply) => {
    const caller = callerIn(request);
    if (live.pagesOf(caller.name) >= MOST_PAGES_OF_USER)
      throw new Problem(429, `You have ${MOST_PAGES_OF_USER} pages open; close one of them first.`);
    const from = request.headers["last-event-id"] ?? request.query.after ?? "";
    // Asked before anything is answered: whose session has ended is told so in the usual way.
    await avatars.asUser(caller, "changes", { since: null, watchMs: 0 });
    const { page: id } = request.query;
    const opened = id === undefined ? {} : { page: id };
    const page = new LivePage(
      {
        ask: (since, watchMs) => avatars.asUser(caller, "changes", { since, watchMs, ...opened }),
        isPage: id !== undefined,
        send: sender(reply),
        show: itemOf,
        showPresence: (presence) => presence.map(presenceOf),
      },
      standIn(from),
    );
    const leave = live.join(caller.name, () => page.nudge());
    open.add(page);
    reply.raw.once("close", () => page.end());
    // It may have gone while the avatar was asked, and then nothing says so any more.
    if (reply.raw.destroyed) page.end();
    try {
      await page.run();
    } finally {
      open.delete(page);
      leave();
      reply.raw.end();
      if (id !== undefined) await closed(avatars, caller, id);
    }
    return reply;
  });

  app.post("/v1/pages/:id", { schema: saysSchema }, async (request, reply) => {
    const { show, idleSince = null, shown = [] } = request.body;
    const idleSinceAt = idleSince === null ? null : Date.parse(idleSince);
    if (Number.isNaN(idleSinceAt)) throw new Problem(422, "idleSince is a time as of RFC 3339.");
    const said = { page: request.params.id, show, idleSinceAt, shown };
    await avatars.asUser(callerIn(request), "pageSays", said);
    return reply.code(204).send(null);
  });
}

/** The avatar that is not told believes in the page for a minute. */
async function closed(avatars: AvatarCalls, caller: Caller, page: string): Promise<void> {
  const said = { page, show: null, idleSinceAt: null, shown: [] };
  await avatars.asUser(caller, "pageSays", said).catch((error: unknown) => {
    if (!(error instanceof CallError)) throw error;
  });
}

/** Begins the answer, past the framework, which would wait for its end. */
function sender(reply: FastifyReply): (text: string) => Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  raw.write("retry: 1000\n\n");
  return async (text) => {
    if (raw.destroyed || raw.write(text)) return;
    await Promise.race([once(raw, "drain"), once(raw, "close")]);
  };
}
