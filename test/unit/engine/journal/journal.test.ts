import { describe, expect, test } from "vitest";
import { playbook } from "#engine/dsl/playbook.ts";
import { Secret } from "#engine/dsl/secret.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import type { JournalFile } from "#engine/journal/appender.ts";
import { DyingDisk, playJournaled } from "../../../support/journaled.ts";
import { fileOn } from "../../../support/play.ts";
import { password, setting } from "../../../support/settings.ts";

const twoSteps = playbook("test", { groups: ["nodes"] }, ({ step, groups: { nodes } }) => {
  const a = step("a", { on: nodes, ensure: setting({ name: "a", value: "1" }) });
  step("b", { on: nodes, ensure: setting({ name: "b", value: "1" }), onChange: [a] });
});

const entriesOf = (disk: DyingDisk) =>
  disk.text
    .toString("utf8")
    .trimEnd()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));

describe("a journal", () => {
  test("tells of each node: what was found, each change before and after it, and how it ended", async () => {
    const file = new DyingDisk();
    await playJournaled(twoSteps, { hosts: { h1: new FakeHost() }, file });
    const told = entriesOf(file).map(({ type, step, say, outcome, changes }) =>
      [type, step, say ?? outcome ?? (type === "found" ? changes : undefined)]
        .filter((part) => part !== undefined)
        .join(" "),
    );
    expect(told).toEqual([
      "begun",
      "started a",
      "found a write /etc/setting-a",
      "intent a write /etc/setting-a",
      "done a",
      "ended a changed",
      "started b",
      "found b write /etc/setting-b",
      "intent b write /etc/setting-b",
      "done b",
      "ended b changed",
      "over",
    ]);
    expect(file.closed).toBe(true);
  });

  test("has every intent on the disk before its change is made", async () => {
    const h1 = new FakeHost();
    const seen: (string | undefined)[] = [];
    class Watched extends DyingDisk {
      override async datasync() {
        if (this.text.includes('"intent"')) seen.push(fileOn(h1, "/etc/setting-a"));
        await super.datasync();
      }
    }
    await playJournaled(twoSteps, { hosts: { h1 }, file: new Watched() });
    expect(seen[0]).toBeUndefined();
    expect(fileOn(h1, "/etc/setting-a")).toBe("1");
  });

  test("never holds a secret, nor anything that it could be guessed from", async () => {
    const file = new DyingDisk();
    const value = new Secret("hunter2-hunter2");
    const declared = playbook("test", { groups: ["nodes"] }, ({ step, groups: { nodes } }) => {
      step("password", { on: nodes, ensure: password({ value }) });
      step(`say`, { on: nodes, ensure: setting({ name: "a", value: "hunter2-hunter2" }) });
    });
    await playJournaled(declared, { hosts: { h1: new FakeHost() }, file });
    const again = new DyingDisk();
    await playJournaled(declared, { hosts: { h1: new FakeHost() }, file: again });
    expect(file.text.toString("utf8")).not.toContain("hunter2");
    const printOf = (disk: DyingDisk) => disk.record()?.begun.steps[0]?.params;
    expect(printOf(file)).not.toEqual(printOf(again));
  });

  test("that cannot be written fails the node before its change, and nothing more is changed", async () => {
    const full = () => Promise.reject(new Error("ENOSPC: no space left on device, write"));
    const disk = new DyingDisk();
    const filling: JournalFile = {
      write: (bytes) => (disk.text.includes('"found"') ? full() : disk.write(bytes)),
      datasync: () => disk.datasync(),
      truncate: (length) => disk.truncate(length),
      close: () => disk.close(),
    };
    const h1 = new FakeHost();
    const played = await playJournaled(twoSteps, { hosts: { h1 }, file: filling }).catch(
      (error: unknown) => error,
    );
    // The last words cannot be written either, and that is told, too.
    expect(played).toMatchObject({ code: "PB_JOURNAL_UNWRITABLE" });
    expect(fileOn(h1, "/etc/setting-a")).toBeUndefined();
    expect(disk.record()).toMatchObject({ over: undefined, owed: [] });
  });
});
