/** A mailer that does little else than SMTP (RFC 5321, with pipelining of RFC 2920), so that what is measured is the server. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Mailing {
  readonly port: number;
  readonly to: string;
  readonly count: number;
  readonly connections: number;
  /** The message with that number, lines with CR LF, without the final dot. */
  readonly message: (number: number) => string;
}

/** Sends all; resolves to how many a second were taken with 250. Rejects when one is refused. */
export async function sendMails({ port, to, count, connections, message }: Mailing): Promise<number> {
  const sessions = await Promise.all(Array.from({ length: connections }, () => Session.open(port)));
  const startedAt = performance.now();
  let next = 0;
  const work = async (session: Session) => {
    while (next < count) await session.sends(to, message(next++));
  };
  await Promise.all(sessions.map(work));
  const perSecond = count / ((performance.now() - startedAt) / 1_000);
  for (const session of sessions) session.close();
  return perSecond;
}

class Session {
  readonly #socket: Socket;
  #heard = "";
  #waiting: { count: number; readonly resolve: () => void; readonly reject: (error: Error) => void } | null =
    null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8").on("data", (chunk: string) => this.#hear(chunk));
    socket.on("error", (error) => this.#waiting?.reject(error));
  }

  static async open(port: number): Promise<Session> {
    const socket = connect(port, "127.0.0.1");
    const session = new Session(socket);
    const greeted = session.#replies(1);
    await once(socket, "connect");
    await greeted;
    await session.#says("EHLO bench.example\r\n", 1);
    return session;
  }

  async sends(to: string, message: string): Promise<void> {
    await this.#says(`MAIL FROM:<bench@bench.example>\r\nRCPT TO:<${to}>\r\nDATA\r\n`, 3);
    await this.#says(`${message}\r\n.\r\n`, 1);
  }

  close(): void {
    this.#socket.destroy();
  }

  #says(text: string, replies: number): Promise<void> {
    const answered = this.#replies(replies);
    this.#socket.write(text);
    return answered;
  }

  #replies(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { count, resolve, reject };
    });
  }

  /** A reply ends with the line that has a blank behind its code. */
  #hear(chunk: string): void {
    const lines = (this.#heard + chunk).split("\r\n");
    this.#heard = lines.pop() ?? "";
    for (const line of lines) {
      if (this.#waiting === null || !/^\d{3} /.test(line)) continue;
      if (!/^[23]/.test(line)) this.#waiting.reject(new Error(line));
      else if (--this.#waiting.count === 0) this.#waiting.resolve();
    }
  }
}
