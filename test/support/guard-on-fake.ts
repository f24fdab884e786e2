import { posix } from "node:path";
import {
  confirmScript,
  settleScript,
  startScript,
  statusScript,
} from "#engine/converge/guard-script.ts";
import type { FakeHost } from "#engine/host/fake/host.ts";
import { GUARD_BASE } from "#engine/host/introduction.ts";

/** What a guarded change comes to on a fake host. */
export interface FakeGuard {
  /** Called when the command that makes the files take effect has run; a fault here is a change that cuts the host off. */
  readonly applied?: (host: FakeHost) => void;
}

/**
 * Lets a fake host take guarded changes: files are put in place and the command runs as the real guard's script would
 * have it, without waiting. What is not confirmed stays "pending"; the script's own behaviour is tested on a real sh.
 */
export function takesGuards(host: FakeHost, { applied }: FakeGuard = {}): FakeHost {
  const text = (path: string) => host.files.read(path, "root")?.toString("utf8") ?? "";
  const state = { word: "pending", code: "" };
  const install = (folder: string) => {
    for (let index = 0; host.files.stat(`${folder}/entry-${index}`) !== undefined; index += 1) {
      const entry = `${folder}/entry-${index}`;
      const path = text(`${entry}/path`);
      const stat = host.files.stat(`${entry}/new`);
      if (stat === undefined) host.files.remove(path);
      else host.files.put(path, host.files.read(`${entry}/new`, "root") ?? "", stat);
    }
  };
  return host
    .script(/mkdir -p -m 755/, ({ args }) => {
      // A virtual clock stands still between two guards, whose names are times.
      for (const folder of args) {
        if (folder !== GUARD_BASE) host.files.remove(folder);
        host.files.mkdir(folder);
      }
      return undefined;
    })
    .script(startScript, async ({ args: [, folder = "", , ...argv], stdin, user, signal }) => {
      install(folder);
      const [program = "true", ...rest] = argv;
      const { code } = await host.execute({ argv: [program, ...rest] }, { stdin, user, signal });
      Object.assign(state, { word: code === 0 ? "pending" : "rolled-back", code: String(code) });
      applied?.(host);
      return undefined;
    })
    .script(statusScript, () => `${state.word}\n${state.code}\n`)
    .script(confirmScript, () => {
      state.word = "confirmed";
      host.files.remove(posix.join(GUARD_BASE, "active-guard"));
      return undefined;
    })
    .script(settleScript, () => undefined);
}
