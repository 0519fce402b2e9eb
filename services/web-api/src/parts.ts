import type { IncomingMessage, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { Bus } from "@tidings/bus";
import type { Addresses } from "@tidings/protocol";
import type { Queue } from "@tidings/queue";
import type { Log } from "@tidings/runtime";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { AvatarCalls } from "./avatar-calls.ts";
import type { LiveUsers } from "./live/live-users.ts";
import type { QueueDepths } from "./operations/queue-depths.ts";
import type { SignInGuard } from "./sign-in-guard.ts";

/** What the routes work with. */
export interface Parts {
  readonly addresses: Addresses;
  readonly bus: Bus;
  readonly queue: Pick<Queue, "request" | "isBlocked" | "consume" | "publish" | "waiting" | "standing">;
  readonly depths: QueueDepths;
  readonly avatars: AvatarCalls;
  readonly guard: SignInGuard;
  /** Of the addresses of inboxes. */
  readonly mailDomain: string;
  /** Messages with one publisher's token that are taken in a minute. */
  readonly publishesPerMinute: number;
  /** Who has a page open. */
  readonly live: LiveUsers;
  /** Of what hubs are told; null: none is heard. */
  readonly hubKey: string | null;
  readonly log: Log;
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
