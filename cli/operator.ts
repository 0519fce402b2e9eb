/** The operators' routes of the running installation, asked with the token in its state folder. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSettings } from "../run/settings.ts";
import { CommandFailed, type Surroundings } from "./command.ts";

/** The body of an answer, parsed. Rejects with CommandFailed and what the installation says. */
export type Ask = (method: "GET" | "POST", path: string, body?: object) => Promise<unknown>;

/** Asks under `/v1/operations`. */
export function operatorOf({ env, cwd }: Surroundings): Ask {
  const settings = readSettings(env, cwd);
  const authorization = `Bearer ${tokenIn(settings.TIDINGS_HOME)}`;
  const base = `http://localhost:${settings.TIDINGS_WEB_PORT}/v1/operations`;
  return async (method, path, body) => {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await reach(`${base}${path}`, {
      method,
      headers: { authorization, ...json },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const said = text === "" ? null : JSON.parse(text);
    if (!answer.ok) throw new CommandFailed(said?.detail ?? `the answer was ${answer.status}`);
    return said;
  };
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
