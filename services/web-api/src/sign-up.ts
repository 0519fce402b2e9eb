/**
 * Sign-up: the avatar is reserved, then the IM account is made, then the avatar is the user's. A sign-up that was cut off
 * is taken up again by repeating it: whoever knows the password of the account is the one who began.
 */
import { randomUUID } from "node:crypto";
import { CallError, createAccountStanza, type ProfileView, userNameProblem } from "@tidings/protocol";
import type { FastifyRequest } from "fastify";
import { askPatiently } from "./ask-patiently.ts";
import { operationId } from "./avatar-calls.ts";
import type { Parts } from "./parts.ts";
import { passwordProblem } from "./password.ts";
import { Problem } from "./problem.ts";

/** Makes the user `name` and their account. Rejects with Problem 409 when the name is taken, 422 when name or password will not do. */
export async function signUp(
  parts: Parts,
  request: FastifyRequest,
  name: string,
  password: string,
): Promise<ProfileView> {
  const problem = userNameProblem(name) ?? passwordProblem(password);
  if (problem !== null) throw new Problem(422, problem);
  await reserve(parts, request, name);
  await createAccount(parts, request.ip, name, password);
  const op = operationId(request, name, "finish");
  const profile = await parts.avatars.asService(name, "finishSignUp", {}, op);
  parts.log.info({ user: name }, "signed up");
  return profile;
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
