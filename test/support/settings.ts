import { z } from "zod";
import { remove, writeFile } from "#engine/dsl/change.ts";
import { defineModule, defineProbe } from "#engine/dsl/module.ts";
import { secret } from "#engine/dsl/secret.ts";

/** The smallest whole module: one value in one file. */
export const setting = defineModule({
  name: "setting",
  summary: "Keep a value in /etc/setting-NAME.",
  params: z.strictObject({
    name: z.string().default("a"),
    value: z.union([z.string(), z.array(z.string())]).transform(String),
  }),
  outputs: z.object({ value: z.string() }),
  async read(host, want) {
    return { value: (await host.readFile(`/etc/setting-${want.name}`)) ?? "" };
  },
  *diff(now, want) {
    if (now.value !== want.value)
      yield writeFile(`/etc/setting-${want.name}`, want.value, { was: now.value });
  },
  *undo(before, now, want) {
    const path = `/etc/setting-${want.name}`;
    if (now.value !== before.value)
      yield before.value === "" ? remove(path) : writeFile(path, before.value, { was: now.value });
  },
});

/** A module whose file content is a secret. */
export const password = defineModule({
  name: "password",
  summary: "Keep a password in /etc/password.",
  params: z.strictObject({ value: secret() }),
  outputs: z.object({ set: z.boolean() }),
  async read(host) {
    const now = await host.readFile("/etc/password");
    return { set: now !== undefined, now };
  },
  *diff({ now }, { value }) {
    if (now !== value.reveal()) yield writeFile("/etc/password", value, { mode: 0o600 });
  },
});

/** Holds once /etc/setting-NAME has the value. */
export const settingIs = defineProbe({
  name: "setting-is",
  summary: "A setting has a value.",
  params: z.strictObject({ name: z.string().default("a"), value: z.string() }),
  async check(host, { name, value }) {
    const now = (await host.readFile(`/etc/setting-${name}`)) ?? "nothing";
    return { holds: now === value, saw: `${name} is ${now}` };
  },
});
