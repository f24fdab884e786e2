import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "#engine/errors/catalog.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { bin, type Played, play } from "../../support/cli.ts";
import {
  type HostileHost,
  hostileHost,
  hostKey,
  idOf,
  type Mischief,
  type Protocol,
  type Session,
} from "../../support/hostile-host.ts";
import { runProgram } from "../../support/program.ts";
import { type Sshd, startSshd } from "../../support/sshd.ts";

const me = userInfo().username;
const group = execFileSync("id", ["-gn"], { encoding: "utf8" }).trim();
let folder: string;
let key: string;
let good: Sshd;

beforeAll(async () => {
  ({ folder, path: key } = hostKey());
  good = await startSshd();
  writeFileSync(join(folder, "play.ts"), PLAYBOOK);
});
afterAll(async () => {
  await good.stop();
  rmSync(folder, { recursive: true, force: true });
});

// A file is kept, and one is fetched: what a host does with that, it does within the time of a step.
const PLAYBOOK = `
import { existsSync } from "node:fs";
import { defineModule, download, each, playbook } from "run-playbook";
import * as use from "run-playbook/modules";
import { z } from "zod";

const fetched = defineModule({
  name: "fetched",
  summary: "Fetch a file.",
  params: z.strictObject({ from: z.string(), to: z.string() }),
  read: async (_host, { to }) => ({ there: existsSync(to) }),
  *diff({ there }, { from, to }) {
    if (!there) yield download(from, to);
  },
});

const { FOLDER = "", ME: owner = "", GROUP: group = "" } = process.env;
const how = { as: owner, timeout: "25s" } as const;

export default playbook("hostile", { groups: ["nodes"] }, ({ step, groups: { nodes } }) => {
  const kept = step("kept", {
    ...how,
    on: nodes,
    ensure: ({ name }) =>
      use.file({ path: \`\${FOLDER}/\${name}/mischief\`, content: "x\\n".repeat(100_000), owner, group }),
  });
  step("fetched", {
    ...how,
    on: nodes,
    after: [each(kept)],
    ensure: ({ name }) =>
      fetched({ from: \`\${FOLDER}/\${name}/booty\`, to: \`\${FOLDER}/\${name}/fetched\` }),
  });
});
`;

/** Runs the playbook on a good host and on hosts that each do their mischief. */
async function against(mischiefs: Readonly<Record<string, Mischief>>) {
  const { name: _, ...entry } = good.target;
  const hosts: Record<string, object> = { good: { ...entry, hostKeys: "strict" } };
  const hostile: HostileHost[] = [];
  for (const [name, mischief] of Object.entries(mischiefs)) {
    const host = await hostileHost(key, mischief);
    hostile.push(host);
    const { port } = host;
    const knownHostsFile = join(folder, "known");
    hosts[name] = {
      address: "::1",
      port,
      user: me,
      identityFile: key,
      knownHostsFile,
      hostKeys: "accept-new",
    };
  }
  for (const name of Object.keys(hosts)) {
    rmSync(join(folder, name), { recursive: true, force: true });
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "booty"), "gold ".repeat(100_000));
  }
  const inventory = {
    kind: "inventory",
    hosts,
    groups: { nodes: Object.keys(hosts) },
    settings: {},
  };
  writeFileSync(join(folder, "inventory.ts"), `export default ${JSON.stringify(inventory)};`);
  try {
    const env = { FOLDER: folder, ME: me, GROUP: group };
    const args = [join(folder, "play.ts"), "-i", join(folder, "inventory.ts"), "-vv", "--diff"];
    return await play(args, { cwd: folder, env, timeoutMs: 120_000 });
  } finally {
    await Promise.all(hostile.map((host) => host.stop()));
  }
}

/** The codes of all errors that a host was told of with. */
function codesOf(played: Played, host: string): string[] {
  const codes = played.events.flatMap((event) => {
    if (!("host" in event) || event.host !== host || !("error" in event)) return [];
    return event.error?.code ?? [];
  });
  return [...new Set(codes)];
}

const outcomesOf = (played: Played, host: string) =>
  played.events.flatMap((event) =>
    event.type === "node-finished" && event.host === host ? `${event.step} ${event.outcome}` : [],
  );

/** Whatever the others did: the good host has all that it should, nothing hung, and memory stayed bounded. */
function expectUnharmed(played: Played, seconds: number): void {
  expect(played.errors.filter((error) => error.includes(" on good:"))).toEqual([]);
  expect(outcomesOf(played, "good")).toEqual(["kept changed", "fetched changed"]);
  expect(statSync(join(folder, "good/fetched")).size).toBe(500_000);
  expect(played.ms).toBeLessThan(seconds * 1000);
  expect(played.peakMiB).toBeLessThan(500);
  expect(played.code).toBe(1);
}

/** Muted, the host says only what is sent in its shell's place; `marks` are those of the calls that wait. */
const instead = (say: (session: Session, marks: string[]) => void, word?: string): Mischief => ({
  ...(word === undefined ? {} : { word }),
  trigger: (session) => {
    session.mute();
    say(session, session.waiting());
  },
});
const saying = (text: (marks: string[]) => string): Mischief =>
  instead(({ channel }, marks) => channel.write(Buffer.from(text(marks), "latin1")));
/** Answers calls in full, on both streams, without having done anything. */
const answering = (text: (mark: string, marks: string[]) => string): Mischief =>
  instead(({ channel }, marks) => {
    for (const mark of marks) {
      channel.stderr.write(`\x01${mark}E\n`);
      channel.write(Buffer.from(text(mark, marks), "latin1"));
    }
  });
/** Changes what the real shell says. */
const changing = (change: (text: string) => string): Mischief => ({
  stdout: (chunk) => Buffer.from(change(chunk.toString("latin1")), "latin1"),
});
/** Alone, or with when it was modified, among others. */
const statLine = /^([0-9a-f]{4}) (\d+ \S+ \d+ \S+) (\d+)(?=$| \d{4}-)/gm;
const greeting = (text: (hello: string) => string): Mischief =>
  instead(({ channel, command }) => {
    const hello = /([0-9a-f]{24}) "\$\$"/.exec(command)?.[1] ?? "";
    channel.write(text(hello));
  }, '"$$"');

/** Once the file that is fetched has begun to come. */
const whileFetching = (act: (chunk: Buffer, session: Session) => Buffer): Mischief => ({
  stdout: (chunk, session) => (chunk.includes("gold gold ") ? act(chunk, session) : chunk),
});
/** What the host says of the file that is fetched, before it sends it. */
const offer = /^(sha256|blake2b512) \d+$/m;
const CHUNK = Buffer.alloc(30_000, "endless ");
const flooding = (word: string, send: (protocol: Protocol, id: number) => void): Mischief =>
  instead(({ wired, channel }) => {
    const id = idOf(channel);
    wired.flood((protocol) => send(protocol, id));
  }, word);

interface Case {
  readonly mischief: Mischief;
  readonly codes: readonly ErrorCode[];
  /** On a busy machine it may be too slow to disturb anybody. */
  readonly mayDoWell?: boolean;
}

const forgeries: Record<string, Case> = {
  "a code that is no number": {
    mischief: saying(([mark]) => `\x01${mark}E x 0\n`),
    codes: ["PB_CONNECTION_LOST"],
  },
  "a code without end": {
    mischief: saying(([mark]) => `\x01${mark}E ${"9".repeat(1000)}`),
    codes: ["PB_CONNECTION_LOST"],
  },
  "a mark of another kind": {
    mischief: saying(([mark]) => `\x01${mark}Z 0 0\n`),
    codes: ["PB_CONNECTION_LOST"],
  },
  "a guessed mark": {
    mischief: saying(() => `\x01${"0".repeat(24)}E 0 0\n`),
    codes: ["PB_STEP_TIMEOUT"],
  },
  "no output at all": {
    mischief: answering((mark) => `\x01${mark}E 0 0\n`),
    codes: ["PB_READ_FAILED", "PB_STEP_TIMEOUT"],
  },
  "every answer twice": {
    mischief: answering((mark) => `a\n\x01${mark}E 0 0\nb\n\x01${mark}E 0 0\n`),
    codes: ["PB_READ_FAILED", "PB_STEP_TIMEOUT"],
  },
  "answers in the wrong order": {
    mischief: answering((mark, marks) => `\x01${marks.toReversed()[marks.indexOf(mark)]}E 0 0\n`),
    codes: ["PB_READ_FAILED", "PB_STEP_TIMEOUT"],
  },
  "a size beyond all numbers": {
    mischief: changing((text) => text.replace(statLine, `$1 $2 ${"9".repeat(25)}`)),
    codes: ["PB_READ_FAILED"],
  },
  "a negative size": {
    mischief: changing((text) => text.replace(statLine, "$1 $2 -1")),
    codes: ["PB_READ_FAILED"],
  },
  "a mode that is none": {
    mischief: changing((text) => text.replace(statLine, "wxyz $2 $3")),
    codes: ["PB_READ_FAILED"],
  },
  "a size that no disk has": {
    mischief: changing((text) => text.replace(offer, "$1 9007199254740991")),
    codes: ["PB_LOCAL_FILE"],
  },
  "a file of less than nothing": {
    mischief: changing((text) => text.replace(offer, "$1 -1")),
    codes: ["PB_READ_FAILED"],
  },
  "a hash that nobody knows": {
    mischief: changing((text) => text.replace(offer, "crc32 500000")),
    codes: ["PB_READ_FAILED"],
  },
  "a file that is shorter than was said": {
    mischief: changing((text) => text.replace(/(?:gold ){1000,}/g, "gold")),
    codes: ["PB_TRANSFER_CORRUPT"],
  },
  "a process number that is none": {
    mischief: greeting((hello) => `\x01${hello} -1; reboot\n`),
    codes: ["PB_SHELL_FAILED"],
  },
  "facts of another world": {
    mischief: changing((text) => text.replace(/^(memory|cpus) .*$/gm, "$1 1e400")),
    codes: ["PB_FACTS_INVALID"],
  },
};

const stalls: Record<string, Case> = {
  "says nothing": {
    mischief: { socket: () => undefined },
    codes: ["PB_CONNECT_SILENT", "PB_STEP_TIMEOUT"],
  },
  "says who it is, and nothing more": {
    mischief: { socket: (socket) => socket.write("SSH-2.0-silent\r\n") },
    codes: ["PB_CONNECT_SILENT", "PB_STEP_TIMEOUT"],
  },
  // It is tried again until the deadline: as sshd turns callers away for a while.
  "hangs up": {
    mischief: { socket: (socket) => socket.destroy() },
    codes: ["PB_CONNECT_DROPPED", "PB_STEP_TIMEOUT"],
  },
  "lets nobody in, and refuses nobody": {
    mischief: { auth: () => undefined },
    codes: ["PB_CONNECT_SILENT", "PB_STEP_TIMEOUT"],
  },
  "wants one key after the other": {
    mischief: { auth: (context) => context.reject(["publickey"], true) },
    codes: ["PB_AUTH_FAILED"],
  },
  "reads no more": {
    mischief: { ready: ({ socket }) => socket.pause() },
    codes: ["PB_STEP_TIMEOUT", "PB_CONNECTION_LOST"],
  },
  "starts no command": { mischief: { deaf: true }, codes: ["PB_STEP_TIMEOUT"] },
  "starts a command that says nothing": {
    mischief: { exec: () => undefined },
    codes: ["PB_STEP_TIMEOUT", "PB_SHELL_FAILED"],
  },
  "closes each session at once": {
    mischief: { exec: ({ channel }) => channel.close() },
    codes: ["PB_CONNECTION_LOST", "PB_SHELL_FAILED"],
  },
  "stops in the middle of an answer": {
    mischief: saying(() => "81a4 0 ro"),
    codes: ["PB_STEP_TIMEOUT"],
  },
  "closes in the middle of an answer": {
    mischief: instead(({ channel }) => {
      channel.write("81a4 0 ro");
      channel.close();
    }),
    codes: ["PB_CONNECTION_LOST"],
  },
  "ends well in the middle of an answer": {
    mischief: instead(({ channel }) => {
      channel.write("81a4 0 ro");
      channel.exit(0);
      channel.end();
    }),
    codes: ["PB_CONNECTION_LOST"],
  },
  "is gone in the middle of an answer": {
    mischief: instead(({ wired }) => wired.socket.resetAndDestroy()),
    codes: ["PB_CONNECTION_LOST"],
  },
  "stops in the middle of a file": {
    mischief: whileFetching((chunk, session) => {
      session.mute();
      return chunk.subarray(0, 1000);
    }),
    codes: ["PB_STEP_TIMEOUT"],
  },
  "is gone in the middle of a file": {
    mischief: whileFetching((chunk, { wired }) => {
      wired.socket.destroy();
      return chunk;
    }),
    codes: ["PB_CONNECTION_LOST"],
  },
};

const floods: Record<string, Case> = {
  "output without end": {
    mischief: flooding("mischief", (protocol, id) => protocol.channelData(id, CHUNK)),
    codes: ["PB_OUTPUT_TOO_LARGE"],
  },
  "errors without end": {
    mischief: flooding("mischief", (protocol, id) => protocol.channelExtData(id, CHUNK, 1)),
    codes: ["PB_OUTPUT_TOO_LARGE"],
  },
  "a greeting without end": {
    mischief: flooding('"$$"', (protocol, id) => protocol.channelData(id, CHUNK)),
    codes: ["PB_SHELL_FAILED"],
  },
  "a file without end": {
    mischief: whileFetching((chunk, { wired, channel }) => {
      const id = idOf(channel);
      wired.flood((protocol) => protocol.channelData(id, CHUNK));
      return chunk;
    }),
    codes: ["PB_TRANSFER_CORRUPT", "PB_CONNECTION_LOST"],
  },
  "output without end after its session was ended": {
    mischief: instead(({ wired, channel }, [mark]) => {
      const id = idOf(channel);
      channel.write(Buffer.from(`\x01${mark}Z\n`, "latin1"));
      wired.flood((protocol) => protocol.channelData(id, CHUNK));
    }),
    codes: ["PB_CONNECTION_LOST"],
  },
  "lines without end before it says who it is": {
    mischief: {
      socket: (socket) => {
        const more = () => {
          while (!socket.destroyed && socket.write("hello\r\n".repeat(1000)));
        };
        socket.on("drain", more);
        more();
      },
    },
    codes: ["PB_CONNECT_NOT_SSH", "PB_CONNECT_DROPPED", "PB_CONNECT_SILENT"],
  },
  "new keys without end": {
    mischief: { ready: ({ flood }) => flood((protocol) => protocol.rekey()) },
    codes: ["PB_CONNECTION_LOST"],
    mayDoWell: true,
  },
  "requests without end, whose answers it does not read": {
    mischief: {
      ready: ({ flood, socket }) => {
        socket.pause();
        flood((protocol) => protocol.ping());
      },
    },
    codes: ["PB_CONNECTION_LOST"],
  },
};

const mischiefsOf = (cases: Record<string, Case>) =>
  Object.fromEntries(Object.values(cases).map(({ mischief }, index) => [`h${index}`, mischief]));

describe.each([
  ["forges its answers", forgeries, 60],
  ["stalls", stalls, 60],
  ["floods", floods, 60],
])("a host that %s", (_, cases, seconds) => {
  let played: Played;
  beforeAll(async () => {
    played = await against(mischiefsOf(cases));
  }, 150_000);

  test("harms no other host, hangs no run and fills no memory", () => {
    expectUnharmed(played, seconds);
  });

  test.each(Object.entries(cases).map(([name, one], index) => ({ name, index, ...one })))(
    "$name",
    ({ index, codes, mayDoWell = false }) => {
      const told = codesOf(played, `h${index}`);
      if (!mayDoWell) expect(told.length).toBeGreaterThan(0);
      const why = JSON.stringify(played.errors);
      for (const code of told) expect(codes, why).toContain(code);
    },
  );
});

/** What a host says to drive the terminal of whoever looks. */
const DRIVER =
  "\x1b]0;pwned\x07\x1b[31;1mred\x1b[2J\x1b[H\x9b5m\x90q\x9c\u202egnp\r\x08\x07done: ok";
const PLAY_OS = `
import { playbook } from "run-playbook";
import * as use from "run-playbook/modules";
export default playbook("os", { groups: ["nodes"] }, ({ step, groups: { nodes } }) => {
  step("os", { on: nodes, as: process.env.ME, ensure: use.assertOs({}) });
});
`;

describe.each(["tree", "lines", "json"])("on a terminal, as %s", (output) => {
  test("a host that talks in escapes drives nothing, whatever it is asked", async () => {
    const host = await hostileHost(key, {
      ...changing((text) =>
        text
          .replace(/^uname Linux \S+/gm, `uname Linux ${Buffer.from(DRIVER).toString("latin1")}`)
          .replace(/^ID=.*$/gm, `ID=${Buffer.from(DRIVER).toString("latin1")}`),
      ),
      banner: `${DRIVER}\n`,
    });
    const entry = { address: "::1", port: host.port, user: me, identityFile: key };
    const known = { knownHostsFile: join(folder, "known"), hostKeys: "accept-new" };
    const hosts = { evil: { ...entry, ...known } };
    const inventory = { kind: "inventory", hosts, groups: { nodes: ["evil"] }, settings: {} };
    writeFileSync(join(folder, "os.ts"), PLAY_OS);
    writeFileSync(join(folder, "os-inventory.ts"), `export default ${JSON.stringify(inventory)};`);
    const words = [process.execPath, bin, "os.ts"];
    const flags = ["-i", "os-inventory.ts", "-vv", "--output", output];
    const line = `stty cols 100 rows 40; exec ${[...words, ...flags].join(" ")}`;
    const env = { ME: me, NO_COLOR: "", TERM: "xterm" };
    // Its own terminal, with a real pseudo-terminal between.
    const ended = await runProgram(["script", "-qec", line, "/dev/null"], { cwd: folder, env });
    await host.stop();
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain("PB_UNSUPPORTED_HOST");
    expect(ended.stdout).not.toMatch(
      /\x1b\]|\x1b\[2J|\x1b\[31;1mred|\x07|\x08|[\u0080-\u009f\u202a-\u202e]/,
    );
    if (output === "tree") expect(ended.stdout).toContain("\x1b[");
  });
});

test("a login that nobody answers is told as silence, not as a wrong key", async () => {
  const host = await hostileHost(key, { auth: () => undefined });
  const target = { name: "mute", address: "::1", port: host.port, user: me, identityFile: key };
  const known = { knownHostsFile: join(folder, "known-mute"), hostKeys: "accept-new" } as const;
  const connecting = sshTransport({ configFiles: [], env: {} }).connect(
    { ...target, ...known },
    { timeoutMs: 700 },
  );
  await expect(connecting).rejects.toMatchObject({ code: "PB_CONNECT_SILENT" });
  await host.stop();
});
