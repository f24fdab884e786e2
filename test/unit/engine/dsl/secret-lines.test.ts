import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { redact } from "#engine/dsl/masking.ts";
import { Secret } from "#engine/dsl/secret.ts";

const KEY = "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1IY0NBUUVF";
const KUBECONFIG = {
  apiVersion: "v1",
  kind: "Config",
  clusters: [
    {
      name: "kubernetes",
      cluster: { server: "https://[2001:db8::1]:6443", "tls-server-name": "" },
    },
  ],
  contexts: [
    {
      name: "kubernetes-admin@kubernetes",
      context: { cluster: "kubernetes", user: "kubernetes-admin", namespace: "default" },
    },
  ],
  "current-context": "kubernetes-admin@kubernetes",
  preferences: {},
  users: [{ name: "kubernetes-admin", user: { "client-key-data": KEY, token: "tok3n-0f-adm1n" } }],
};

const INNOCENT = [
  "apiVersion: v1",
  "kind: Config",
  "- name: kubernetes",
  "namespace: default",
  "current-context: kubernetes-admin@kubernetes",
  "preferences: {}",
  "immutable: true",
  '"kind": "Config",',
  '"clusters": [',
  "-----BEGIN CERTIFICATE-----",
  "-----END PRIVATE KEY-----",
  "#!/bin/sh",
  "set -eu",
  "done",
  "the work is done, exit 1 else",
  "password: null",
];

test("what every manifest, kubeconfig, key or script holds stays in other output", () => {
  new Secret(stringify(KUBECONFIG, { lineWidth: 0 }));
  new Secret(JSON.stringify(KUBECONFIG, null, 2));
  new Secret(`-----BEGIN CERTIFICATE-----\n${KEY}xyz\n-----END CERTIFICATE-----\n`);
  new Secret("-----BEGIN PRIVATE KEY-----\nTUMwd2Vu\n-----END PRIVATE KEY-----");
  new Secret(
    "#!/bin/sh\nset -eu\nfor i; do\n  export DB_PASSWORD='b4tt3ry'\ndone\nimmutable: true\n",
  );
  new Secret("password: null\nexit 1\nelse\n");
  for (const line of INNOCENT) expect(redact(line)).toBe(line);
});

test("the values that their keys call secrets are masked where they are printed alone, too", () => {
  const printed = [`bad token tok3n-0f-adm1n`, `key: ${KEY}`, "login with b4tt3ry", "TUMwd2Vu"];
  for (const text of printed) expect(redact(text)).toContain("[secret]");
  expect(redact(printed.join("\n"))).not.toMatch(/tok3n|LS0t|b4tt3ry|TUMw/);
});

test("an address, a name or a number in a secret is not masked everywhere because of it", () => {
  new Secret("port: 6443\nhost: api.example.net\nserver: https://[2001:db8::1]:6443\npin: 4711\n");
  expect(redact("https://api.example.net:6443 on 2001:db8::1")).toBe(
    "https://api.example.net:6443 on 2001:db8::1",
  );
  expect(redact("it was 4711")).toBe("it was [secret]");
});

const word = fc.stringMatching(/^[A-Za-z0-9+/_.-]{3,20}[0-9]$/);
const key = fc.constantFrom("password", "DB_PASSWORD", "api-token", "client-secret", "private_key");
const assign: Record<string, (key: string, value: string) => string> = {
  YAML: (name, value) => stringify({ kind: "Secret", stringData: { [name]: value } }),
  JSON: (name, value) => JSON.stringify({ kind: "Secret", [name]: value }, null, 1),
  "a file of settings": (name, value) => `# made by us\n${name} = ${value}\n`,
  "an environment": (name, value) => `A=1\nexport ${name}="${value}"\n`,
  "a list": (_, value) => `other-line-1\n${value}\n`,
};

test.each(Object.entries(assign))("nothing of a secret of %s is shown", (_, text) => {
  fc.assert(
    fc.property(key, word, (name, value) => {
      const whole = text(name, value);
      new Secret(whole);
      for (const print of [whole, `x: ${value}`, JSON.stringify({ value }), ...whole.split("\n")])
        expect(redact(print)).not.toContain(value);
    }),
    { numRuns: 40, seed: 2026 },
  );
});
