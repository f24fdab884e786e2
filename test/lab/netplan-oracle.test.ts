/** What netplan files configure is netplan's own to say: its generator is asked about generated sets of files. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { canonicalCidr } from "#engine/net/ip.ts";
import { openLab } from "#lab/lab.ts";
import { configuredBy, effective } from "#modules/netplan/other-files.ts";

const lab = openLab("osmod");
const SETS = 150;
const BATCH = 15;

beforeAll(async () => {
  await lab.down();
  await lab.up({ hosts: ["w1"], disk: "1G", bare: true, yes: true });
});
afterAll(() => lab.down());

const address = fc.constantFrom(
  "2001:db8::1/64",
  "2001:DB8::2/64",
  '"2001:db8:0:0::3/64"',
  "'fe80::4/64'",
  "192.0.2.5/24",
  "192.0.2.6/31",
  "169.254.7.7/16",
  '{"2001:db8::8/64": {lifetime: 0}}',
);
// netplan passes over what follows an address with options that it knows already, so that one comes last.
const list = fc
  .array(address, { minLength: 1, maxLength: 3 })
  .map((all) => all.sort((a, b) => Number(a.startsWith("{")) - Number(b.startsWith("{"))));
const key = fc
  .tuple(list, fc.boolean())
  .map(([all, flow]) =>
    flow
      ? `      addresses: [${all.join(", ")}]\n`
      : `      addresses:\n${all.map((one) => `        - ${one}\n`).join("")}`,
  );
const device = fc
  .tuple(
    fc.constantFrom("eth0", "eth1", '"eth1"', "ens3"),
    // A key that is given twice is read twice.
    fc.array(key, { minLength: 1, maxLength: 2 }),
    fc.boolean(),
  )
  .map(([id, keys, dhcp]) => `    ${id}:\n${dhcp ? "      dhcp4: true\n" : ""}${keys.join("")}`);
const bridge = fc
  .tuple(fc.constantFrom("br0", "br1"), key)
  .map(([id, own]) => `    ${id}:\n${own}`);
const file = fc
  .tuple(fc.array(device, { minLength: 1, maxLength: 3 }), fc.option(bridge), fc.boolean())
  .map(
    ([devices, bridges, second]) =>
      `network:\n  version: 2\n  ethernets:\n${devices.join("")}` +
      (bridges === null ? "" : `  bridges:\n${bridges}`) +
      (second ? "---\nnetwork:\n  ethernets:\n    behind: {addresses: [192.0.2.99/24]}\n" : ""),
  );
const path = fc
  .tuple(fc.constantFrom("run", "etc", "lib"), fc.constantFrom("10-a", "50-b", "90-c"))
  .map(([folder, name]) => `/${folder}/netplan/${name}.yaml`);
const files = fc.uniqueArray(fc.tuple(path, file), {
  minLength: 1,
  maxLength: 4,
  selector: ([own]) => own,
});

// One line per address, as "0 eth0 192.0.2.1/24", or "0 refused".
const GENERATE = `cd "$(mktemp -d)"
while read -r set path text; do
  mkdir -p "$set$(dirname "$path")" && printf %s "$text" | base64 -d >"$set$path" && chmod 600 "$set$path"
done
for set in *; do
  /usr/libexec/netplan/generate --root-dir "$PWD/$set" >/dev/null 2>&1 || { echo "$set refused"; continue; }
  for file in "$set"/run/systemd/network/10-netplan-*.network; do
    [ -f "$file" ] || continue
    name=\${file##*/10-netplan-}
    sed -n "s/^Address=/$set \${name%.network} /p" "$file"
  done
done`;

/** What netplan's generator makes of sets of files, each with its number. */
async function generate(
  batch: readonly (readonly [number, readonly (readonly [string, string])[]])[],
): Promise<string[]> {
  const input = batch.flatMap(([number, set]) =>
    set.map(([own, text]) => `${number} ${own} ${Buffer.from(text).toString("base64")}\n`),
  );
  const command = GENERATE.replace(
    "while read",
    () => `cat <<'E' |\n${input.join("")}E\nwhile read`,
  );
  const { code, stdout, stderr } = await lab.exec("w1", ["sh", "-c", command]);
  expect(code, stderr).toBe(0);
  return stdout.split("\n").filter(Boolean);
}

it("files configure what netplan's generator makes of them", async () => {
  const sets = fc.sample(files, SETS);
  const lines: string[] = [];
  // A command's one argument holds 128 KiB.
  for (let from = 0; from < SETS; from += BATCH) {
    const batch = sets.slice(from, from + BATCH).map((set, index) => [from + index, set] as const);
    lines.push(...(await generate(batch)));
  }
  let compared = 0;
  let addresses = 0;
  for (const [index, set] of sets.entries()) {
    const own = lines.filter((line) => line.startsWith(`${index} `));
    if (own.includes(`${index} refused`)) continue;
    const counts = effective(set.map(([name]) => name));
    const ours = set
      .filter(([name]) => counts.includes(name))
      .flatMap(([name, text]) => configuredBy(name, text, { links: {}, routes: [] }))
      .flatMap((one) => one.addresses.map((cidr) => `${one.interface} ${canonicalCidr(cidr)}`));
    const theirs = own.map((line) => {
      const [, name = "", cidr = ""] = line.split(" ");
      return `${name} ${canonicalCidr(cidr)}`;
    });
    expect([...new Set(ours)].sort(), JSON.stringify(set)).toEqual([...new Set(theirs)].sort());
    compared += 1;
    addresses += new Set(theirs).size;
  }
  process.stdout.write(
    `netplan files: ${compared} of ${SETS} sets with ${addresses} addresses compared with netplan's generator\n`,
  );
  expect(compared).toBeGreaterThan(SETS / 3);
});
