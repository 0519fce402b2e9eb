import fc from "fast-check";
import { expect, test } from "vitest";
import { Mailboxes } from "./mailbox.ts";

/** Mailboxes over avatars that sleep until `wakes`. */
function makeMailboxes() {
  const awake = new Set<string>();
  const waking = new Map<string, () => void>();
  const mailboxes = new Mailboxes(
    (name) => awake.has(name),
    (name) => new Promise((resolve) => waking.set(name, resolve)),
  );
  const wakes = async (name: string) => {
    awake.add(name);
    waking.get(name)?.();
    await settled();
  };
  return { mailboxes, wakes, waking };
}

/** Lets what is ready to run do so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("what comes for an avatar that is awake runs at once", async () => {
  const { mailboxes, wakes } = makeMailboxes();
  await wakes("alice");
  const ran: string[] = [];
  mailboxes.post({ names: ["alice", "alice"], run: () => ran.push("once") });
  expect(ran).toEqual(["once"]);
});

test("whatever wakes first, each name has its stimuli in the order of posting, and none is lost", async () => {
  const names = ["a", "b", "c", "d"];
  const stimuli = fc.array(fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }), { maxLength: 12 });
  const order = fc.shuffledSubarray(names, { minLength: names.length });
  await fc.assert(
    fc.asyncProperty(stimuli, order, fc.nat(12), async (wanted, wakeOrder, early) => {
      const { mailboxes, wakes } = makeMailboxes();
      const ran: number[] = [];
      const [first, ...others] = wakeOrder as [string, ...string[]];
      for (const [at, stimulus] of wanted.entries()) {
        if (at === early) await wakes(first);
        mailboxes.post({ names: stimulus, run: () => ran.push(at) });
      }
      for (const name of [first, ...others]) await wakes(name);

      expect(mailboxes.waiting).toBe(0);
      for (const name of names) {
        const posted = [...wanted.keys()].filter((at) => wanted[at]?.includes(name));
        expect(ran.filter((at) => wanted[at]?.includes(name))).toEqual(posted);
      }
    }),
    { numRuns: 60 },
  );
});

test("a stimulus that is posted while another runs waits for those before it", async () => {
  const { mailboxes, wakes } = makeMailboxes();
  const ran: string[] = [];
  mailboxes.post({
    names: ["alice"],
    run: () => {
      ran.push("first");
      mailboxes.post({ names: ["alice"], run: () => ran.push("third") });
    },
  });
  mailboxes.post({ names: ["alice"], run: () => ran.push("second") });
  await wakes("alice");
  expect(ran).toEqual(["first", "second", "third"]);
});
