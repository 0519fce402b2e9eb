import { expect, test } from "vitest";
import { type Surroundings, serviceProcesses } from "./services.ts";
import { readSettings } from "./settings.ts";
import { missingForSms, smsSettings } from "./sms-settings.ts";

const ALL = {
  TWILIO_ACCOUNT_SID: "AC1",
  TWILIO_AUTH_TOKEN: "t",
  TWILIO_FROM: "+12025550199",
  TWILIO_API_BASE: "http://127.0.0.1:9",
};
const settings = (env: NodeJS.ProcessEnv) => readSettings(env, "/");

function processes(env: NodeJS.ProcessEnv) {
  const around = {
    home: "/home",
    domain: "d.test",
    sms: smsSettings(settings(env)),
    smsPort: 20_013,
    busUrl: () => "xmpp://127.0.0.1:1",
    passwordFile: (component: string) => `/home/secrets/${component}`,
  } as unknown as Surroundings;
  return serviceProcesses("agent-sms", 2, around);
}

test("agent-sms runs when all four settings of the provider are given, and is told them", () => {
  const [spec, ...others] = processes({ ...ALL, TIDINGS_SMS_COUNTRIES: "US" });
  expect(others).toEqual([]);
  expect(spec?.env).toMatchObject({
    ...ALL,
    TIDINGS_SMS_COUNTRIES: "US",
    TIDINGS_SMS_CALLBACK_PORT: "20013",
    TIDINGS_BUS_PASSWORD_FILE: "/home/secrets/sms.agents.d.test",
  });
  expect(missingForSms(settings(ALL))).toBeNull();
});

test.each(Object.keys(ALL))("without %s it does not run, and the terminal says so", (name) => {
  const env = { ...ALL, [name]: "" };
  expect(processes(env)).toEqual([]);
  expect(missingForSms(settings(env))).toMatch(`set ${name} too`);
});

test("without any of them nothing is said", () => {
  expect(processes({})).toEqual([]);
  expect(missingForSms(settings({}))).toBeNull();
});

test("settings that agent-sms could not use end the start", () => {
  const env = { TWILIO_ACCOUNT_SID: "SK1", TWILIO_API_BASE: "api", TIDINGS_SMS_COUNTRIES: "Mars" };
  for (const name of Object.keys(env)) expect(() => settings(env)).toThrow(name);
});

test("a port for the callbacks that is named is taken", () => {
  const [spec] = processes({ ...ALL, TIDINGS_SMS_CALLBACK_PORT: "8099" });
  expect(spec?.env).toMatchObject({ TIDINGS_SMS_CALLBACK_PORT: "8099" });
});
