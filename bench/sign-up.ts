/** Signs users up and subscribes them as web-api does, over the bus. */
import type { Bus } from "@tidings/bus";
import { addressesOf } from "@tidings/protocol";

const WITHIN_MS = 60_000;

/** Signs `user` up and subscribes them to the feed at `url`; resolves with the secret of a session. */
export async function signUp(web: Bus, domain: string, user: string, url: string): Promise<string> {
  const route = {
    from: web.address,
    to: `${user}@${addressesOf(domain).silo}`,
    timeoutMs: WITHIN_MS,
  };
  await web.call({ ...route, name: "beginSignUp", args: {}, authority: null });
  await web.call({ ...route, name: "finishSignUp", args: {}, authority: null });
  const opened = await web.call({ ...route, name: "openSession", args: { label: "bench" }, authority: null });
  const args = { url, title: "Bench", priority: null };
  await web.call({ ...route, name: "subscribe", args, authority: { session: opened.session } });
  return opened.session;
}
