/** The operators' routes of the running installation, asked with the token in its state folder. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { settingsAsStarted } from "../run/last-start.ts";
import { CommandFailed, type Surroundings } from "./command.ts";

/** The body of an answer, parsed. Rejects with CommandFailed and what the installation says. */
export type Ask = (method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<unknown>;

/** Asks under `/v1/operations`. */
export function operatorOf(surroundings: Surroundings): Ask {
  const send = senderOf(surroundings);
  return async (method, path, body) => {
    const text = await (await send(method, path, body)).text();
    return text === "" ? null : JSON.parse(text);
  };
}

/** The same, for an answer that is read as it comes. Rejects with CommandFailed when it is an error. */
export function senderOf(surroundings: Surroundings) {
  const { base, authorization } = installationOf(surroundings);
  return async (method: string, path: string, body?: object): Promise<Response> => {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await reach(`${base}/v1/operations${path}`, {
      method,
      headers: { authorization, ...json },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new CommandFailed(await sentenceIn(answer));
    return answer;
  };
}

/** Where the installation is, and what opens it to an operator. Throws CommandFailed when there is no token. */
export function installationOf({ env, cwd }: Surroundings) {
  const settings = settingsAsStarted(env, cwd);
  const authorization = `Bearer ${tokenIn(settings.TIDINGS_HOME)}`;
  return { settings, authorization, base: `http://localhost:${settings.TIDINGS_WEB_PORT}` };
}

async function sentenceIn(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    return JSON.parse(text).detail ?? `the answer was ${answer.status}`;
  } catch {
    return `the answer was ${answer.status}: is this Tidings' port?`;
  }
}

function tokenIn(home: string): string {
  const path = join(home, "secrets", "operator");
  try {
    return readFileSync(path, "utf8").trimEnd();
  } catch (cause) {
    const sentence = `${path} cannot be read; set TIDINGS_HOME to the state folder, as its owner, once npm start has run.`;
    throw new CommandFailed(sentence, { cause });
  }
}

async function reach(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (cause) {
    const sentence = `Nothing answers at ${url}; start Tidings, or set TIDINGS_WEB_PORT to its port.`;
    throw new CommandFailed(sentence, { cause });
  }
}
