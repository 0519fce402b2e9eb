import { ConfigError } from "@tidings/runtime";
import { expect, test } from "vitest";
import { config } from "./config.ts";

const GIVEN = {
  TIDINGS_BUS_URL: "xmpp://127.0.0.1:5347",
  TIDINGS_BUS_PASSWORD_FILE: "secret",
  TWILIO_ACCOUNT_SID: "AC1",
  TWILIO_AUTH_TOKEN: "t",
  TWILIO_FROM: "+12025550199",
  TWILIO_API_BASE: "https://api.twilio.com",
};

test("without more nothing is allowed, and the caps are those of the README", () => {
  const { countries, limits, TIDINGS_SMS_CALLBACK_URL } = config(GIVEN);
  expect(countries.size).toBe(0);
  expect(limits).toEqual({ perNumber: 5, perPrefix: 20, segmentsPerDay: 200, segmentsPerHour: 100 });
  expect(TIDINGS_SMS_CALLBACK_URL).toBe("");
});

test("countries are read with commas or spaces, in any case", () => {
  expect([...config({ ...GIVEN, TIDINGS_SMS_COUNTRIES: "gb, US de" }).countries]).toEqual(["GB", "US", "DE"]);
});

test("a country that there is not is refused with what to give", () => {
  expect(() => config({ ...GIVEN, TIDINGS_SMS_COUNTRIES: "UK, US, Mars" })).toThrow(
    /names UK, MARS; give ISO 3166-1 codes/,
  );
});

test("all unusable settings are named at once", () => {
  const read = () =>
    config({
      ...GIVEN,
      TWILIO_ACCOUNT_SID: "SK1",
      TWILIO_API_BASE: "api.twilio.com",
      TIDINGS_SMS_PER_NUMBER: "0",
      TIDINGS_SMS_CALLBACK_URL: "https://tidings.example/",
    });
  expect(read).toThrow(ConfigError);
  for (const name of ["ACCOUNT_SID", "API_BASE", "PER_NUMBER", "CALLBACK_URL"]) expect(read).toThrow(name);
});
