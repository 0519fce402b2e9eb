/** How an avatar stands, and a word to have it served by another host. */
import {
  type AvatarView,
  CallError,
  handOverStanza,
  hostAddress,
  shardLocalpart,
  shardOf,
} from "@tidings/protocol";
import Type from "typebox";
import type { App, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";
import { ChangeHeaders, Nullable, PROBLEMS, Strict, Time } from "../shapes.ts";
import { rfc3339OrNull } from "../times.ts";

/** A shard is free for the other host after its checkpoint, which may take seconds. */
const HAND_OVER_MS = 20_000;

const Avatar = Type.Object({
  avatar: Type.String({ description: "A user's name, or a source such as rss.5f2b…." }),
  shard: Type.Integer(),
  epoch: Type.Integer(),
  host: Type.String({ description: "That serves the shard." }),
  isAwake: Type.Boolean(),
  rows: Type.Integer(),
  chars: Type.Integer({ description: "Characters in its rows." }),
  kinds: Type.Array(Type.Object({ kind: Type.String(), rows: Type.Integer() })),
  alarmAt: Nullable(Time),
  deadLetters: Type.Integer(),
});

const AvatarParams = Type.Object({ name: Type.String({ minLength: 1, maxLength: 80 }) });
const shared = { tags: ["operations"], security: [{ operator: [] }] } as const;

const showSchema = {
  ...shared,
  operationId: "showAvatar",
  summary: "Where an avatar is, and how much it holds",
  params: AvatarParams,
  response: { 200: Avatar, ...PROBLEMS },
} as const;

const moveSchema = {
  ...shared,
  operationId: "moveAvatar",
  summary: "Have the shard of an avatar, with all that are in it, given to another host",
  params: AvatarParams,
  headers: ChangeHeaders,
  body: Strict({ host: Type.String({ pattern: "^h[0-9]{1,3}$" }) }, { examples: [{ host: "h2" }] }),
  response: {
    200: Type.Object({ shard: Type.Integer(), from: Type.String(), to: Type.String() }),
    ...PROBLEMS,
  },
} as const;

export function operatorAvatarRoutes(app: App, parts: Parts): void {
  app.get("/v1/operations/avatars/:name", { schema: showSchema }, async ({ params: { name } }) => {
    const { alarmAt, ...view } = await show(parts, name);
    return { ...view, alarmAt: rfc3339OrNull(alarmAt) };
  });

  app.post(
    "/v1/operations/avatars/:name/move",
    { schema: moveSchema },
    async ({ params, body: { host } }) => {
      // The host that answers is the one that serves it; the monitor may be seconds behind.
      const { shard, host: from } = await show(parts, params.name);
      if (from !== host) await move(parts, shard, from, host);
      return { shard, from, to: host };
    },
  );
}

function show({ avatars }: Parts, name: string): Promise<AvatarView> {
  return avatars.asService(shardLocalpart(shardOf(name)), "showAvatar", { avatar: name });
}

async function move({ bus, addresses, log }: Parts, shard: number, from: string, to: string): Promise<void> {
  try {
    const stanza = handOverStanza(addresses.web, hostAddress(addresses.users, from), shard, to);
    await bus.request(stanza, HAND_OVER_MS);
  } catch (cause) {
    const isRefused = cause instanceof CallError && cause.condition === "not-acceptable";
    throw isRefused ? new Problem(409, `${cause.message}.`, { cause }) : cause;
  }
  log.info({ shard, from, to }, "operator moves a shard");
}
