import type { Settings } from "./settings.ts";

/** Environment variables for agent-email. */
export type MailSettings = Readonly<Record<string, string>>;

/** What agent-email is told of `settings`; null when it is not to run, since no relay takes its messages. */
export function mailSettings(settings: Settings): MailSettings | null {
  if (settings.TIDINGS_SMTP_RELAY === "") return null;
  const port = settings.TIDINGS_MAIL_PUBLIC_PORT;
  return {
    TIDINGS_SMTP_RELAY: settings.TIDINGS_SMTP_RELAY,
    TIDINGS_MAIL_DOMAIN: settings.TIDINGS_MAIL_DOMAIN,
    TIDINGS_MAIL_FROM: settings.TIDINGS_MAIL_FROM,
    TIDINGS_MAIL_PUBLIC_URL: settings.TIDINGS_MAIL_PUBLIC_URL,
    ...(port === undefined ? {} : { TIDINGS_MAIL_PUBLIC_PORT: String(port) }),
  };
}
