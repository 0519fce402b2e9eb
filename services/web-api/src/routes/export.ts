import { Readable } from "node:stream";
import type { CallResult } from "@tidings/protocol";
import Type from "typebox";
import type { AvatarCalls } from "../avatar-calls.ts";
import type { App, Parts } from "../parts.ts";
import { type Caller, callerIn } from "../session.ts";
import { PROBLEMS, SIGNED_IN, Time } from "../shapes.ts";
import { rfc3339 } from "../times.ts";

type Page = CallResult<"exportAll">;

const ExportFile = Type.Object({
  name: Type.String(),
  exportedAt: Time,
  rows: Type.Array(Type.Object({ key: Type.String(), value: Type.Unknown() })),
});

const schema = {
  operationId: "exportMe",
  tags: ["me"],
  summary: "Everything that Tidings keeps of the user, as one JSON file",
  security: SIGNED_IN,
  response: {
    200: Type.Unsafe<Readable>(ExportFile),
    ...PROBLEMS,
  },
} as const;

export function exportRoutes(app: App, { avatars }: Parts): void {
  app.get("/v1/me/export", { schema }, async (request, reply) => {
    const caller = callerIn(request);
    const first = await avatars.asUser(caller, "exportAll", { cursor: null }); // an error still has its own status
    reply.type("application/json; charset=utf-8");
    reply.header("content-disposition", `attachment; filename="tidings-${caller.name}.json"`);
    return reply.send(Readable.from(documentOf(avatars, caller, first), { objectMode: false }));
  });
}

/** The text of the file, page by page; a page is asked for when the client has taken the one before. */
async function* documentOf(avatars: AvatarCalls, caller: Caller, first: Page): AsyncGenerator<string> {
  const head = JSON.stringify({ name: caller.name, exportedAt: rfc3339(Date.now()) });
  yield `${head.slice(0, -1)},"rows":[`;
  let separator = "\n";
  for (let page = first; ; ) {
    for (const row of page.rows) {
      yield separator + JSON.stringify(row);
      separator = ",\n";
    }
    if (page.next === null) break;
    page = await avatars.asUser(caller, "exportAll", { cursor: page.next });
  }
  yield "\n]}\n";
}
