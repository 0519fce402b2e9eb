import type { ProfileView } from "@tidings/protocol";
import Type, { type Static } from "typebox";
import type { App, Parts } from "../parts.ts";
import { refuseForeignPage } from "../session.ts";
import { ChangeHeaders, Nullable, PROBLEMS, Strict } from "../shapes.ts";
import { signUp } from "../sign-up.ts";
import { inboxAddress } from "./me.ts";

/** Who is to be signed up. */
export const NewUser = Strict(
  {
    name: Type.String({ maxLength: 200, description: "2 to 32 of a-z, 0-9 and hyphens." }),
    password: Type.String({ maxLength: 1_000, description: "8 to 256 characters." }),
  },
  { examples: [{ name: "alice", password: "correct horse battery" }] },
);

export const SignedUp = Type.Object(
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
);

const schema = {
  operationId: "signUp",
  tags: ["users"],
  summary: "Create an IM account and the user that owns it",
  headers: ChangeHeaders,
  body: NewUser,
  response: {
    201: SignedUp,
    ...PROBLEMS,
  },
} as const;

export function userRoutes(app: App, parts: Parts): void {
  app.post("/v1/users", { schema }, async (request, reply) => {
    refuseForeignPage(request);
    await parts.guard.countSignUp(request.ip);
    const { name, password } = request.body;
    const profile = await signUp(parts, request, name, password);
    reply.code(201);
    return signedUp(profile, parts);
  });
}

/** What somebody learns who has signed up. */
export function signedUp(profile: ProfileView, parts: Parts): Static<typeof SignedUp> {
  const { name, jid, agent } = profile;
  return { name, jid, agent, inbox: inboxAddress(profile, parts) };
}
