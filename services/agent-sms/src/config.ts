import { ConfigError, readConfig } from "@tidings/runtime";
import Type, { type Static } from "typebox";
import type { Limits } from "./allowance.ts";
import { isCountry } from "./phone-number.ts";
import type { ProviderAccount } from "./provider.ts";

const Count = (standard: number) => Type.Integer({ minimum: 1, maximum: 1_000_000, default: standard });

const Schema = Type.Object({
  TIDINGS_HOME: Type.String({ default: ".tidings" }),
  TIDINGS_DOMAIN: Type.String({ default: "tidings.localhost" }),
  /** Component listener of the agents cluster. */
  TIDINGS_BUS_URL: Type.String({ pattern: "^xmpp://" }),
  TIDINGS_BUS_PASSWORD_FILE: Type.String(),
  TWILIO_ACCOUNT_SID: Type.String({ pattern: "^AC" }),
  TWILIO_AUTH_TOKEN: Type.String(),
  /** A number, a name, or the id of a messaging service. */
  TWILIO_FROM: Type.String(),
  TWILIO_API_BASE: Type.String({ pattern: "^https?://" }),
  TIDINGS_SMS_COUNTRIES: Type.String({ default: "" }),
  /** Where the provider reaches the callbacks; empty: nowhere. */
  TIDINGS_SMS_CALLBACK_URL: Type.String({ default: "", pattern: "^(https?://.*[^/])?$" }),
  TIDINGS_SMS_CALLBACK_PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8_090 }),
  TIDINGS_SMS_PER_NUMBER: Count(5),
  TIDINGS_SMS_PER_PREFIX: Count(20),
  TIDINGS_SMS_PER_DAY: Count(200),
  TIDINGS_SMS_PER_HOUR: Count(100),
});

type Variables = Readonly<Static<typeof Schema>>;

export interface Config extends Variables {
  readonly account: ProviderAccount;
  readonly limits: Limits;
  readonly countries: ReadonlySet<string>;
}

/** The settings of this service. Throws ConfigError with all problems at once. */
export function config(env?: NodeJS.ProcessEnv): Config {
  const read = readConfig(Schema, env);
  const account = {
    base: read.TWILIO_API_BASE,
    accountSid: read.TWILIO_ACCOUNT_SID,
    authToken: read.TWILIO_AUTH_TOKEN,
    from: read.TWILIO_FROM,
  };
  const limits = {
    perNumber: read.TIDINGS_SMS_PER_NUMBER,
    perPrefix: read.TIDINGS_SMS_PER_PREFIX,
    segmentsPerDay: read.TIDINGS_SMS_PER_DAY,
    segmentsPerHour: read.TIDINGS_SMS_PER_HOUR,
  };
  return { ...read, account, limits, countries: countriesIn(read.TIDINGS_SMS_COUNTRIES) };
}

function countriesIn(list: string): ReadonlySet<string> {
  const codes = list.split(/[\s,]+/).filter((code) => code !== "");
  const countries = codes.map((code) => code.toUpperCase());
  const unknown = countries.filter((code) => !isCountry(code));
  if (unknown.length === 0) return new Set(countries);
  throw new ConfigError(
    `unusable settings: TIDINGS_SMS_COUNTRIES names ${unknown.join(", ")}; give ISO 3166-1 codes, such as "GB, US"`,
  );
}
