/** The single field: an address is looked at, its newest three are shown, and it is subscribed to. */
import { signal } from "@preact/signals";
import { api } from "../api.ts";
import { draft } from "../drafts.ts";
import { Action, Field, Form, Time } from "../parts/controls.tsx";
import type { Subscription } from "../types.ts";

interface Preview {
  readonly url: string;
  readonly title: string | null;
  readonly items: readonly {
    readonly id: string;
    readonly title: string | null;
    readonly publishedAt: string | null;
  }[];
}

const preview = signal<Preview | null>(null);
/** Counts subscriptions, so that whoever lists them reads them again. */
export const subscribed = signal(0);

export function SubscribeForm() {
  const address = draft("subscribe");
  const look = async () => {
    const url = address.value.trim();
    if (url === "") throw new Error("Paste the address of a page or a feed first.");
    if (new URL(location.origin).origin === URL.parse(url)?.origin && url.includes("/s/"))
      return subscribe(url);
    preview.value = await api<Preview>("POST", "/v1/subscriptions/preview", { url });
  };
  return (
    <div class="subscribe">
      <Form label="Look" send={look}>
        <Field label="Address of a page or a feed" text={address} type="url" placeholder="example.com/blog" />
      </Form>
      {preview.value === null ? null : <Found found={preview.value} />}
    </div>
  );
}

function Found({ found }: { readonly found: Preview }) {
  return (
    <section class="found" aria-label="What was found">
      <h3 dir="auto">{found.title ?? found.url}</h3>
      <ul>
        {found.items.slice(0, 3).map(({ id, title, publishedAt }) => (
          <li key={id} dir="auto">
            {title ?? "(no title)"} {publishedAt === null ? null : <Time at={publishedAt} />}
          </li>
        ))}
      </ul>
      <Action kind="main" act={() => subscribe(found.url)}>
        Subscribe
      </Action>
    </section>
  );
}

async function subscribe(url: string): Promise<void> {
  await api<Subscription>("POST", "/v1/subscriptions", { url });
  preview.value = null;
  draft("subscribe").value = "";
  subscribed.value++;
}
