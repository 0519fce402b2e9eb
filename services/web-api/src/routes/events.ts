/** What happens, as it happens: server-sent events (HTML Living Standard §9.2), for a page that is open. */
import { once } from "node:events";
import { gauge } from "@tidings/runtime";
import type { FastifyReply } from "fastify";
import Type from "typebox";
import { LivePage, standIn } from "../live/live-page.ts";
import type { App, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";
import { callerIn } from "../session.ts";
import { PROBLEMS, SIGNED_IN } from "../shapes.ts";
import { itemOf } from "./history.ts";
import { presenceOf } from "./me.ts";

const MOST_PAGES_OF_USER = 20;

const schema = {
  tags: ["history"],
  security: SIGNED_IN,
  operationId: "events",
  summary: "What happens, as server-sent events",
  description:
    "`notification` (a new one, as in the history), `delivery` (one that has moved on, as it is now), `presence` (as in /v1/me), " +
    "`reset` (more has happened than is sent: read the history again). With Last-Event-ID it goes on where it was.",
  headers: Type.Object({ "last-event-id": Type.Optional(Type.String({ maxLength: 100 })) }),
  querystring: Type.Object({ after: Type.Optional(Type.String({ maxLength: 100 })) }),
  response: { 200: Type.String(), ...PROBLEMS },
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
    const page = new LivePage(
      {
        ask: (since, watchMs) => avatars.asUser(caller, "changes", { since, watchMs }),
        send: sender(reply),
        show: itemOf,
        showPresence: (presence) => presence.map(presenceOf),
      },
      standIn(from),
    );
    const leave = live.join(caller.name, () => page.nudge());
    open.add(page);
    request.raw.once("close", () => page.end());
    try {
      await page.run();
    } finally {
      open.delete(page);
      leave();
      reply.raw.end();
    }
    return reply;
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
