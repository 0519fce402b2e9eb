/** The page: the door for who is not signed in, else the frame with the page that the address names. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { api, isSignedIn } from "./api.ts";
import { close, isConnected, open, unread } from "./live.ts";
import { operatorToken } from "./operator.ts";
import { Account } from "./pages/account.tsx";
import { Operations } from "./pages/operations.tsx";
import { RulesPage } from "./pages/rules.tsx";
import { SignIn } from "./pages/sign-in.tsx";
import { Sources } from "./pages/sources.tsx";
import { Stream } from "./pages/stream.tsx";
import { Ways } from "./pages/ways.tsx";
import { Belief } from "./parts/belief.tsx";
import { Icon, type IconName } from "./parts/icons.tsx";
import { follow, path } from "./router.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/frame.css";

interface Place {
  readonly at: string;
  readonly name: string;
  readonly icon: IconName;
  readonly page: () => preact.JSX.Element;
}

const PLACES: readonly Place[] = [
  { at: "/", name: "Stream", icon: "stream", page: Stream },
  { at: "/sources", name: "Sources", icon: "sources", page: Sources },
  { at: "/ways", name: "Ways", icon: "ways", page: Ways },
  { at: "/rules", name: "Rules", icon: "rules", page: RulesPage },
  { at: "/account", name: "Account", icon: "account", page: Account },
];

/** Shown to who has the operators' token, or who asks for it. */
const FOR_OPERATORS: Place = { at: "/operations", name: "Operations", icon: "operations", page: Operations };

function placesNow(): readonly Place[] {
  const isOperator = operatorToken.value !== null || path.value.startsWith(FOR_OPERATORS.at);
  return isOperator ? [...PLACES, FOR_OPERATORS] : PLACES;
}

function placeAt(address: string): Place {
  const [stream, ...others] = placesNow() as readonly [Place, ...Place[]];
  return others.find(({ at }) => address.startsWith(at)) ?? stream;
}

function App() {
  if (isSignedIn.value === null) return <p class="quiet">…</p>;
  if (!isSignedIn.value) return <SignIn />;
  const place = placeAt(path.value);
  const { page: Page } = place;
  return (
    <div class="frame">
      <nav aria-label="Tidings">
        <span class="brand">Tidings</span>
        {placesNow().map(({ at, name, icon }) => (
          <a key={at} href={at} onClick={follow} aria-current={place.at === at ? "page" : undefined}>
            <Icon name={icon} />
            <span>{name}</span>
            {at === "/" && unread.value > 0 ? <span class="count">{unread.value}</span> : null}
          </a>
        ))}
        <Belief />
      </nav>
      <main>
        {isConnected.value ? null : (
          <p class="reconnecting" role="status">
            reconnecting…
          </p>
        )}
        <h1>{place.name}</h1>
        <Page />
      </main>
    </div>
  );
}

effect(() => {
  if (isSignedIn.value === true) void open().catch(() => undefined);
  else close();
});

api("GET", "/v1/me").then(
  () => {
    isSignedIn.value = true;
  },
  () => {
    isSignedIn.value = false;
  },
);

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
