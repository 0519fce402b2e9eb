import { ExportFile, exportFile } from "../export-document.ts";
import type { App, Parts } from "../parts.ts";
import { callerIn } from "../session.ts";
import { PROBLEMS, SIGNED_IN } from "../shapes.ts";

const schema = {
  operationId: "exportMe",
  tags: ["me"],
  summary: "Everything that Tidings keeps of the user, as one JSON file",
  security: SIGNED_IN,
  response: {
    200: ExportFile,
    ...PROBLEMS,
  },
} as const;

export function exportRoutes(app: App, { avatars }: Parts): void {
  app.get("/v1/me/export", { schema }, async (request, reply) => {
    const caller = callerIn(request);
    const file = await exportFile(avatars, caller);
    reply.type("application/json; charset=utf-8");
    reply.header("content-disposition", `attachment; filename="tidings-${caller.name}.json"`);
    return reply.send(file);
  });
}
