/** For tests: an SMTP server that behaves as told, and keeps each message as it came. */
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
}

/**
 * What the relay does with a message: takes it; answers with an error and does not take it; breaks the connection before
 * DATA; breaks it within the message; takes it and breaks the connection in place of 250; takes it and says nothing.
 */
export type Behaviour =
  | "takes"
  | { readonly at: "rcpt" | "data"; readonly says: string }
  | "breaksBefore"
  | "breaksWithin"
  | "takesAndBreaks"
  | "takesAndIsSilent";

export interface RelayOptions {
  /** What it wants of everybody who sends; null: nothing. */
  readonly password?: string | null;
  /** Whether it offers STARTTLS, with a certificate that nobody knows. */
  readonly offersTls?: boolean;
  readonly host?: string;
}

/** Begins to listen on a free port. */
export async function setRelay({
  password = null,
  offersTls = false,
  host = "127.0.0.1",
}: RelayOptions = {}) {
  const relay = {
    url: "",
    taken: [] as TakenMail[],
    /** How often a recipient was named. */
    tries: 0,
    /** Sessions at a time, at most. */
    mostSessions: 0,
    /** What becomes of the next messages; the last one stays. */
    behaviours: ["takes"] as Behaviour[],
    stop: () => close(server),
    /** Listens again, after `stop`, at the same address. */
    comesBack: async () => {
      server = open();
      await listening(server, host, Number(new URL(relay.url).port));
    },
  };
  let now: Behaviour = "takes";
  let server = open();
  relay.url = `smtp://${host}:${await listening(server, host, 0)}`;
  return relay;

  function open(): SMTPServer {
    return new SMTPServer({
      authOptional: password === null,
      allowInsecureAuth: true,
      disabledCommands: offersTls ? [] : ["STARTTLS"],
      closeTimeout: 50,
      onAuth: (auth, _session, done) =>
        auth.password === password ? done(null, { user: "u" }) : done(failure("535 5.7.8 who are you?")),
      onRcptTo: (_address, session, done) => {
        relay.tries += 1;
        relay.mostSessions = Math.max(relay.mostSessions, server.connections.size);
        now = relay.behaviours[0] ?? "takes";
        if (relay.behaviours.length > 1) relay.behaviours.shift();
        if (now === "breaksBefore") return breakOff(session);
        done(typeof now === "object" && now.at === "rcpt" ? failure(now.says) : null);
      },
      onData: (stream, session, done) => void take(stream, session, done),
    });
  }

  async function take(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    done: (error?: Error | null) => void,
  ): Promise<void> {
    const behaviour = now;
    if (behaviour === "breaksWithin") return breakOff(session);
    const raw = await text(stream);
    if (typeof behaviour === "object") return done(failure(behaviour.says));
    const { mailFrom, rcptTo } = session.envelope;
    const from = mailFrom === false ? "" : mailFrom.address;
    relay.taken.push({ from, to: rcptTo.map(({ address }) => address), raw });
    if (behaviour === "takesAndBreaks") return breakOff(session);
    if (behaviour === "takes") done();
  }

  function breakOff({ id }: SMTPServerSession): void {
    for (const connection of server.connections) if (connection.id === id) connection._socket.destroy();
  }
}

export type RelayStage = Awaited<ReturnType<typeof setRelay>>;

function failure(says: string): Error {
  return Object.assign(new Error(says.slice(4)), { responseCode: Number(says.slice(0, 3)) });
}

async function listening(server: SMTPServer, host: string, port: number): Promise<number> {
  server.on("error", () => {
    // Connections that are broken off on purpose say so here.
  });
  await new Promise<void>((resolve) => server.listen(port, host, () => resolve()));
  return (server.server.address() as AddressInfo).port;
}

function close(server: SMTPServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
