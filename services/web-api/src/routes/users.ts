/**
 * Sign-up: the avatar is reserved, then the IM account is made, then the avatar is the user's. A sign-up that was cut off
 * is taken up again by repeating it: whoever knows the password of the account is the one who began.
 */

import { randomUUID } from "node:crypto";
import { CallError, createAccountStanza, userNameProblem } from "@tidings/protocol";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { askPatiently } from "../ask-patiently.ts";
import { operationId } from "../avatar-calls.ts";
import type { App, Parts } from "../parts.ts";
import { passwordProblem } from "../password.ts";
import { Problem } from "../problem.ts";
import { refuseForeignPage } from "../session.ts";
import { ChangeHeaders, Nullable, PROBLEMS, Strict } from "../shapes.ts";
import { inboxAddress } from "./me.ts";

const schema = {
  operationId: "signUp",
  tags: ["users"],
  summary: "Create an IM account and the user that owns it",
  headers: ChangeHeaders,
  body: Strict(
    {
      name: Type.String({ maxLength: 200, description: "2 to 32 of a-z, 0-9 and hyphens." }),
      password: Type.String({ maxLength: 1_000, description: "8 to 256 characters." }),
    },
    { examples: [{ name: "alice", password: "correct horse battery" }] },
  ),
  response: {
    201: Type.Object(
      {
        name: Type.String(),
        jid: Type.String({ description: "The user's own IM address." }),
        agent: Type.String({ description: "The contact that brings the notifications." }),
        inbox: Nullable(
          Type.String({
            description: "An address for inbound mail: what is sent or forwarded there is told.",
          }),
        ),
      },
      {
        examples: [
          {
            name: "alice",
            jid: "alice@tidings.localhost",
            agent: "alice@im.agents.tidings.localhost",
            inbox: "k3xq7ynd2mzt5w6rjv4h@in.tidings.localhost",
          },
        ],
      },
    ),
    ...PROBLEMS,
  },
} as const;

export function userRoutes(app: App, parts: Parts): void {
  app.post("/v1/users", { schema }, async (request, reply) => {
    refuseForeignPage(request);
    await parts.guard.countSignUp(request.ip);
    const { name, password } = request.body;
    const problem = userNameProblem(name) ?? passwordProblem(password);
    if (problem !== null) throw new Problem(422, problem);
    await reserve(parts, request, name);
    await createAccount(parts, request.ip, name, password);
    const profile = await parts.avatars.asService(
      name,
      "finishSignUp",
      {},
      operationId(request, name, "finish"),
    );
    parts.log.info({ user: name }, "signed up");
    reply.code(201);
    return { name, jid: profile.jid, agent: profile.agent, inbox: inboxAddress(profile, parts) };
  });
}

async function reserve({ avatars }: Parts, request: FastifyRequest, name: string): Promise<void> {
  try {
    await avatars.asService(name, "beginSignUp", {}, operationId(request, name, "begin"));
  } catch (error) {
    throw isConflict(error) ? taken(name, error) : error;
  }
}

async function createAccount(parts: Parts, ip: string, name: string, password: string): Promise<void> {
  const { users, web, im } = parts.addresses;
  const stanza = () => createAccountStanza(web, users, randomUUID(), name, password, `${name}@${im}`);
  try {
    await askPatiently(parts.bus, stanza);
  } catch (error) {
    if (!isConflict(error)) throw error;
    if (!(await parts.guard.check(ip, name, password))) throw taken(name, error);
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof CallError && error.condition === "conflict";
}

function taken(name: string, cause: unknown): Problem {
  return new Problem(409, `The name ${name} is taken; choose another.`, { cause });
}
