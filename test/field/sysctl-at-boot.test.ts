/** The last word on a key at boot is systemd-sysctl's: what we say of files that were made up is what it then does. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Command, Host } from "#engine/index.ts";
import { openLab } from "#lab/lab.ts";
import { FOLDERS, readBootFiles, sameValue, settingsAtBoot } from "#modules/sysctl/boot-files.ts";
import { random } from "../support/deaths.ts";

const SEED = Number(process.env["RUN_PLAYBOOK_SEED"] ?? Date.now() % 2 ** 31);
const LAYOUTS = 80;
const next = random(SEED);
const lab = openLab("sysctl");

beforeAll(async () => {
  await lab.down();
  await lab.up({ hosts: ["w1"], disk: "1G", bare: true, yes: true });
  process.stderr.write(`# seed ${SEED}\n`);
});
afterAll(() => lab.down());

async function sh(text: string): Promise<string> {
  const { code, stdout, stderr } = await lab.exec("w1", ["sh", "-c", text]);
  expect(code, `${text}\n${stderr}`).toBe(0);
  return stdout;
}
const host = {
  text: async ({ argv }: Command) => {
    const { stdout } = await lab.exec("w1", argv as [string, ...string[]]);
    return stdout.replace(/\n$/, "");
  },
} satisfies Partial<Host> as unknown as Host;

const pick = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
const KEYS = ["log_martians", "shared_media", "medium_id"].map(
  (name) => `net.ipv4.conf.lo.${name}`,
);
const NAMES = [
  "10-made-up.conf",
  "50-made-up.conf",
  "90-made-up.conf",
  "Made-up.conf",
  "made-up.conf",
  "no-conf",
];
const BEFORE = "77";

const spelled = (value: number) =>
  pick([`${value}`, `0x${value.toString(16)}`, `0${value.toString(8)}`, ` ${value}\t`]);
function line(): string {
  const key = pick(KEYS);
  const value = spelled(10 + Math.floor(next() * 50));
  return pick([
    `${key} = ${value}`,
    `${key.replaceAll(".", "/")}=${value}`,
    `  -${key}=${value}`,
    `-${key}`,
    `net.ipv4.conf.*.${key.split(".").at(-1)} = ${value}`,
    `# ${key} = ${value}`,
    `; ${key} = ${value}`,
    "",
    `${key}`,
  ]);
}

/** Files in some of the folders, some of them links to nothing. */
function layout(): string {
  const files = FOLDERS.flatMap((folder) =>
    NAMES.filter(() => next() < 0.3).map((name) => {
      const path = `${folder}/${name}`;
      if (next() < 0.15) return `ln -s ${pick(["/dev/null", "/nowhere"])} ${path}`;
      const lines = Array.from({ length: Math.floor(next() * 4) }, line);
      return `printf '%s\\n' ${lines.map((text) => `'${text}'`).join(" ")} >${path}`;
    }),
  );
  const folders = FOLDERS.map(
    (folder) => `mkdir -p ${folder}; rm -f ${folder}/*ade-up.conf ${folder}/no-conf`,
  );
  return [...folders, ...files].join("\n");
}

const live = KEYS.map((key) => `cat /proc/sys/${key.replaceAll(".", "/")}`).join("; ");

test("a value that boot will override says converged, others get a false overridden: files that were made up, judged as systemd-sysctl judges them", async () => {
  const counts = { set: 0, left: 0, patterns: 0 };
  for (let made = 0; made < LAYOUTS; made++) {
    const files = layout();
    const before = KEYS.map((key) => `echo ${BEFORE} >/proc/sys/${key.replaceAll(".", "/")}`);
    const printed = await sh(
      `${files}\n${before.join("\n")}\n/usr/lib/systemd/systemd-sysctl --prefix=/net 2>/dev/null\n${live}`,
    );
    const is = printed.trim().split("\n");
    const said = settingsAtBoot(await readBootFiles(host));
    for (const [index, key] of KEYS.entries()) {
      const setting = said.get(key.replaceAll(".", "/"));
      const wanted = setting?.value ?? BEFORE;
      if (setting === undefined && files.includes(`*.${key.split(".").at(-1)}`)) {
        counts.patterns++;
        continue;
      }
      expect(
        sameValue(is[index] ?? "", wanted),
        `${files}\n${key}: is ${is[index]}, said ${wanted}`,
      ).toBe(true);
      counts[setting?.value === undefined ? "left" : "set"]++;
    }
  }
  process.stderr.write(
    `# sysctl.d against systemd-sysctl: ${JSON.stringify({ layouts: LAYOUTS, ...counts })}\n`,
  );
  expect(counts.set).toBeGreaterThan(LAYOUTS / 2);
});
