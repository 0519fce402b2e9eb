/** The fleet of avatar hosts on real servers: grown, drained, asleep and woken, and what operators are told of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "@tidings/testkit";
import { afterEach, expect, test } from "vitest";
import { Installation } from "./theatre/installation.ts";
import { Rest, wellDone } from "./theatre/rest.ts";

const OPERATIONS = "/v1/operations";
const PATIENCE = { withinMs: 40_000 };

let installation: Installation;
afterEach(() => installation?.close());

/** The operators' side of it. */
function operator(): Rest {
  const { home, webUrl } = installation.stack;
  return new Rest(webUrl, readFileSync(join(home, "secrets", "operator"), "utf8").trim());
}

async function hosts(): Promise<{ id: string; state: string; shards: number }[]> {
  return wellDone(await operator().get(`${OPERATIONS}/hosts`)).items;
}

/** The monitors that lead, by their own figures. */
async function leading(): Promise<string[]> {
  const names = ["monitor", "monitor-2"];
  const figures = await Promise.all(
    names.map(async (name) => {
      const file = join(installation.stack.home, "metrics", `${name}.json`);
      const [{ targets }] = JSON.parse(readFileSync(file, "utf8"));
      return (await fetch(`http://${targets[0]}/metrics`)).text();
    }),
  );
  return names.filter((_, at) => figures[at]?.includes("tidings_monitor_leads 1"));
}

/** How many shards each host serves, when they are as many hosts as `names`, and all 64 are served. */
function serve(...names: string[]): Promise<void> {
  return eventually(async () => {
    const now = await hosts();
    expect(now.map(({ id, state }) => `${id} ${state}`)).toEqual(names.map((name) => `${name} serving`));
    const { items } = wellDone(await operator().get(`${OPERATIONS}/shards`));
    expect(items.filter(({ host }: { host: string | null }) => host === null)).toEqual([]);
    const fair = 64 / names.length;
    for (const { shards } of now) expect(Math.abs(shards - fair)).toBeLessThanOrEqual(1);
  }, PATIENCE);
}

test("with nothing awake no host runs, and the first stanza starts one; an operator adds a host and drains one, and all is told", {
  timeout: 180_000,
}, async () => {
  installation = await Installation.open({
    hosts: 1,
    hostsLeast: 0,
    hostsMost: 3,
    hostsIdleSeconds: 3,
    monitors: 2,
    adapt: async (spec) => ({ ...spec, env: { ...spec.env, TIDINGS_AVATAR_IDLE_SECONDS: "2" } }),
  });
  const alice = await installation.signsUp("alice");
  const { url } = wellDone(await alice.rest.post("/v1/publishers", { title: "db1" }));
  await alice.comesOnline();
  await eventually(async () => expect(await hosts()).toEqual([]), { withinMs: 90_000 });
  const post = async (number: number) =>
    (await fetch(url, { method: "POST", body: `Report ${number}.` }).catch(() => null))?.status === 202;
  const beganMs = performance.now();
  const posting = post(1);
  await alice.hears("Report 1.", { withinMs: 30_000 });
  const tookMs = performance.now() - beganMs;
  console.log(`first stanza to no host at all, until it is told: ${Math.round(tookMs)} ms`);
  expect(await posting).toBe(true);

  let published = 1;
  let isOver = false;
  const publishing = (async () => {
    while (!isOver) {
      if (await post(published + 1)) published += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  expect((await operator().post(`${OPERATIONS}/scale`, { hosts: 2 })).status).toBe(202);
  await serve("h1", "h2");
  // One of them leads again, whichever looks first, knows what was decided, and goes on.
  const leader = (await leading())[0] as string;
  installation.stack.service(leader).kill("SIGKILL");
  await eventually(async () => expect(await leading()).toHaveLength(1), PATIENCE);
  await serve("h1", "h2");
  expect((await operator().post(`${OPERATIONS}/hosts/h1/drain`, {})).status).toBe(202);
  await serve("h2");
  isOver = true;
  await publishing;
  await alice.hears(`Report ${published}.`, PATIENCE);
  expect(alice.client.heard.map(({ body }) => body.split("\n")[0])).toEqual(
    Array.from({ length: published }, (_, at) => `Report ${at + 1}.`),
  );

  const { decisions, wanted } = wellDone(await operator().get(`${OPERATIONS}/hosts`));
  expect(wanted).toBe(1);
  expect(decisions.map(({ reason }: { reason: string }) => reason)).toEqual([
    "an operator has had h1 drained",
    "an operator has asked for it",
    "something waits, and no host runs",
    "nothing is awake, and nothing is due soon",
  ]);
  const last = await operator().post(`${OPERATIONS}/hosts/h2/drain`, {});
  expect(last).toMatchObject({ status: 422, body: { detail: expect.stringContaining("the only host") } });
  for (const count of [-1, 0, 17])
    expect((await operator().post(`${OPERATIONS}/scale`, { hosts: count })).status).toBe(422);
  expect((await operator().post(`${OPERATIONS}/hosts/h9/drain`, {})).status).toBe(404);
  expect((await alice.rest.post(`${OPERATIONS}/scale`, { hosts: 2 })).status).toBe(404);
});
