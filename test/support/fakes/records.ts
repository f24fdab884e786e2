import type { FakeHost } from "#engine/host/fake/host.ts";

const BASE = "/var/lib/run-playbook/undo";

/** Lets a fake host keep records of undo; `full` is what it says where it has no room for them. */
export const withRecords = (host: FakeHost, { full }: { readonly full?: string } = {}): FakeHost =>
  host
    .script(/^# undo-keep\n/, ({ args: [run, file], stdin, host: { files } }) => {
      if (full !== undefined) return { code: 1, stderr: `${full}\n` };
      files.put(`${BASE}/${run}/${file}`, stdin, { mode: 0o600 });
      return undefined;
    })
    .script(/^# undo-find\n/, ({ args: [run, file], host: { files } }) => {
      const text = files.text(`${BASE}/${run}/${file}`);
      return text ?? { code: 1, stderr: "cat: No such file or directory\n" };
    });

/** The paths of all records on a fake host. */
export const recordsOn = ({ files }: FakeHost): string[] =>
  files
    .list(BASE)
    .flatMap((run) => files.list(`${BASE}/${run}`).map((name) => `${BASE}/${run}/${name}`));
