import type { Settings } from "./settings.ts";

/** Without any one of these no message can go, so agent-sms is started when all of them are given. */
const NEEDED = ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM", "TWILIO_API_BASE"] as const;

/** Environment variables for agent-sms. */
export type SmsSettings = Readonly<Record<string, string>>;

/** What agent-sms is told of `settings`; null when it is not to run. */
export function smsSettings(settings: Settings): SmsSettings | null {
  if (NEEDED.some((name) => settings[name] === "")) return null;
  const port = settings.TIDINGS_SMS_CALLBACK_PORT;
  return {
    ...Object.fromEntries(NEEDED.map((name) => [name, settings[name]])),
    TIDINGS_SMS_COUNTRIES: settings.TIDINGS_SMS_COUNTRIES,
    TIDINGS_SMS_CALLBACK_URL: settings.TIDINGS_SMS_CALLBACK_URL,
    ...(port === undefined ? {} : { TIDINGS_SMS_CALLBACK_PORT: String(port) }),
  };
}

/** A sentence for who has given some of the settings and not all; null when all or none are given. */
export function missingForSms(settings: Settings): string | null {
  const missing = NEEDED.filter((name) => settings[name] === "");
  if (missing.length === 0 || missing.length === NEEDED.length) return null;
  return `agent-sms is not started: set ${missing.join(", ")} too (Twilio's own base is https://api.twilio.com)`;
}
