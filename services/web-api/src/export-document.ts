/** All that is kept of a user, as the text of one JSON file. */
import { Readable } from "node:stream";
import type { CallResult } from "@tidings/protocol";
import Type from "typebox";
import type { AvatarCalls } from "./avatar-calls.ts";
import type { Caller } from "./session.ts";
import { Time } from "./shapes.ts";
import { rfc3339 } from "./times.ts";

type Page = CallResult<"exportAll">;

const Document = Type.Object({
  name: Type.String(),
  exportedAt: Time,
  rows: Type.Array(Type.Object({ key: Type.String(), value: Type.Unknown() })),
});
export const ExportFile = Type.Unsafe<Readable>(Document);

/** The file of `caller`; `done` is called when it has been read, or given up. Rejects with CallError when it cannot begin. */
export async function exportFile(
  avatars: AvatarCalls,
  caller: Caller,
  done: () => void = () => undefined,
): Promise<Readable> {
  const first = await avatars.asUser(caller, "exportAll", { cursor: null }); // an error still has its own status
  const file = Readable.from(documentOf(avatars, caller, first), { objectMode: false });
  return file.once("close", done);
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
