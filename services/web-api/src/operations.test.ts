import { type DeadLetterView, deadLetterId, pollPart, QUEUES, shardOf } from "@tidings/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { OPERATOR, openTheatre, type Theatre } from "./theatre.ts";

const LIST = "/v1/operations/dead-letters";
const JOB = JSON.stringify({
  job: "j1",
  source: "rss.1",
  silo: "s1",
  url: "https://feeds.example/rooms.xml",
  validators: { etag: null, lastModified: null },
});

let theatre: Theatre;
beforeEach(async () => {
  theatre = await openTheatre();
});

function letterOf(owner: string, n: number): DeadLetterView {
  const id = deadLetterId(owner, `170000000000${n}-001`);
  return { id, owner, at: 1_700_000_000_000 + n, kind: "event", error: "Error: no", excerpt: "{}" };
}

const ask = (url: string, token = OPERATOR, method: "GET" | "POST" = "GET") =>
  theatre.app.inject({ method, url, headers: { authorization: `Bearer ${token}` } });
const replay = (id: string) => ask(`${LIST}/${id}/replay`, OPERATOR, "POST");

describe("the operators' routes", () => {
  test.each(["wrong", "tds_YWxpY2U_secret-of-alice"])("do not exist for who shows %s", async (token) => {
    const answer = await ask(LIST, token);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual((await ask("/v1/nothing", token)).json());
    expect((await ask(`${LIST}/bob~1-001/replay`, token, "POST")).statusCode).toBe(404);
    expect(theatre.avatars.asked).toEqual([]);
  });

  test("do not exist for a user either, nor for anybody when no token is set", async () => {
    expect((await ask(LIST, await theatre.signIn("alice"))).statusCode).toBe(404);
    theatre = await openTheatre({ operatorToken: null });
    expect((await ask(LIST, "null")).statusCode).toBe(404);
    expect((await theatre.app.inject(LIST)).statusCode).toBe(404);
  });
});

describe("dead letters", () => {
  test("of all shards and of the queues are listed page by page, with one call to each shard", async () => {
    const owners = ["alice", "bob", "carol", "_17"].sort((a, b) => shardOf(a) - shardOf(b));
    for (const owner of owners) theatre.avatars.deadLetters.push(letterOf(owner, 1), letterOf(owner, 2));
    await theatre.broker.connect().publish(QUEUES.dead, JOB);

    const whole = (await ask(LIST)).json();
    expect(whole.next).toBeNull();
    expect(whole.items.map(({ owner }: DeadLetterView) => owner)).toEqual([
      ...owners.flatMap((owner) => [owner, owner]),
      QUEUES.dead,
    ]);
    expect(whole.items[0]).toMatchObject({ at: "2023-11-14T22:13:20.001Z", kind: "event" });
    expect(theatre.avatars.asked).toHaveLength(64);

    const ids: string[] = [];
    for (let url = `${LIST}?limit=2`; url !== ""; ) {
      const { items, next } = (await ask(url)).json();
      ids.push(...items.map(({ id }: DeadLetterView) => id));
      url = next === null ? "" : `${LIST}?limit=2&cursor=${next}`;
    }
    expect(ids).toEqual(whole.items.map(({ id }: DeadLetterView) => id));
  });

  test("of an avatar are replayed once, and then there is none", async () => {
    theatre.avatars.deadLetters.push(letterOf("bob", 1));
    const { id } = letterOf("bob", 1);
    expect((await replay(id)).statusCode).toBe(204);
    expect((await replay(id)).statusCode).toBe(404);
    expect((await ask(LIST)).json().items).toEqual([]);
  });

  test("of the queues go back to the queue where they belong; what nobody can read stays", async () => {
    const queue = theatre.broker.connect();
    await queue.publish(QUEUES.dead, JOB);
    await queue.publish(QUEUES.dead, "rubbish");
    const [job, rubbish] = (await ask(LIST)).json().items;
    const taken: string[] = [];
    await queue.consume(QUEUES.poll(pollPart(JSON.parse(JOB).url)), 1, (delivery) =>
      taken.push(delivery.body),
    );

    expect((await replay(job.id)).statusCode).toBe(204);
    expect((await replay(rubbish.id)).statusCode).toBe(422);
    expect(taken).toEqual([JOB]);
    expect((await ask(LIST)).json().items).toEqual([rubbish]);
  });
});
