/** Signing up and signing in. */
import { useSignal } from "@preact/signals";
import { api, isSignedIn } from "../api.ts";
import { draft } from "../drafts.ts";
import { Field, Form } from "../parts/controls.tsx";

export function SignIn() {
  const isNew = useSignal(false);
  const password = useSignal("");
  const name = draft("name");
  const send = async () => {
    const account = { name: name.value.trim().toLowerCase(), password: password.value };
    if (isNew.value) await api("POST", "/v1/users", account);
    await api("POST", "/v1/sessions", account);
    isSignedIn.value = true;
  };
  return (
    <main class="door">
      <h1>Tidings</h1>
      <p>Tells you what you asked to be told, where you are.</p>
      <Form label={isNew.value ? "Sign up" : "Sign in"} send={send}>
        <Field
          label="Name"
          text={name}
          autoComplete="username"
          {...(isNew.value ? { hint: "2 to 32 letters, digits and hyphens; also your chat address." } : {})}
        />
        <Field
          label="Password"
          text={password}
          type="password"
          autoComplete={isNew.value ? "new-password" : "current-password"}
          {...(isNew.value ? { hint: "At least 8 characters." } : {})}
        />
      </Form>
      <p>
        {isNew.value ? "You have an account? " : "New here? "}
        <button
          type="button"
          class="link"
          onClick={() => {
            isNew.value = !isNew.value;
          }}
        >
          {isNew.value ? "Sign in" : "Sign up"}
        </button>
      </p>
    </main>
  );
}
