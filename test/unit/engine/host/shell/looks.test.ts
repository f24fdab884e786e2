import { describe, expect, it } from "vitest";
import { PlaybookError } from "#engine/errors/error.ts";
import type { Reply } from "#engine/host/shell/call.ts";
import type { Calls } from "#engine/host/shell/calls.ts";
import { lookReply } from "#engine/host/shell/look-work.ts";
import { Looks } from "#engine/host/shell/looks.ts";
import type { Work } from "#engine/host/shell/request.ts";

const stat = (size: number) => `81a4 0 root 0 root ${size}`;
/** The same with when it was modified. */
const dated = (size: number, at = 1) => `${stat(size)} 2026-11-26 10:00:0${at}.0 +0000`;
const reply = (stdout: string, stderr = "", code = 0): Reply => ({
  code,
  stdout: Buffer.from(stdout),
  stderr: Buffer.from(stderr),
});

/** Calls that answer as the test says, and that are counted. */
function answering(answer: (work: Work) => Reply) {
  const asked: Work[] = [];
  const calls = {
    async call(work: Work) {
      asked.push(work);
      return answer(work);
    },
  };
  return { looks: new Looks(calls as unknown as Calls), asked };
}

describe("looking at files", () => {
  it("takes one call for all that is asked in one tick", async () => {
    const { looks, asked } = answering(({ body }) =>
      body.startsWith("_pb_look 1 '/srv' '/srv/a'")
        ? reply(`ef\n${dated(9)}\n${dated(1)}\n\0x${dated(1)}\n`)
        : reply(""),
    );
    const [home, again, a, content] = await Promise.all([
      looks.stat("/srv"),
      looks.stat("/srv"),
      looks.stat("/srv/a"),
      looks.read("/srv/a"),
    ]);
    expect([home?.size, again?.size, a?.size, String(content)]).toEqual([9, 9, 1, "x"]);
    expect(asked).toHaveLength(1);
  });

  it("asks again, each alone, where the call for all fails", async () => {
    const { looks, asked } = answering(({ body }) => {
      if (body.startsWith("_pb_look")) throw new PlaybookError("PB_OUTPUT_TOO_LARGE", ["it", 16]);
      return reply(`${stat(3)}\n`);
    });
    const found = await Promise.all([looks.stat("/a"), looks.stat("/b")]);
    expect(found.map((one) => one?.size)).toEqual([3, 3]);
    expect(asked.map(({ what }) => what)).toEqual(["look at 2 files", "stat /a", "stat /b"]);
  });

  it("does not mix users", async () => {
    const { looks, asked } = answering(() => reply(`${stat(3)}\n`));
    await Promise.all([looks.stat("/a", { as: "root" }), looks.stat("/b", { as: "nobody" })]);
    expect(asked.map(({ what }) => what)).toEqual(["stat /a", "stat /b"]);
  });

  it("lets go at once of a look that is aborted", async () => {
    const { looks } = answering(() => {
      throw new PlaybookError("PB_INTERRUPTED", ["stat /a"]);
    });
    const abort = new AbortController();
    const look = looks.stat("/a", { signal: abort.signal });
    abort.abort();
    await expect(look).rejects.toMatchObject({ code: "PB_INTERRUPTED" });
  });
});

describe("what a host answers to a look at many", () => {
  const wanted = new Map([
    ["/gone", false],
    ["/there", false],
    ["/a", true],
    ["/b", true],
  ]);
  const gone = "stat: cannot statx '/gone': No such file or directory\n";
  const lines = `neff\n${dated(7)}\n${dated(2)}\n${dated(3)}\n`;

  it("is told apart by the sizes", () => {
    const found = lookReply(wanted, reply(`${lines}\0aabbb${dated(2)}\n${dated(3)}\n`, gone));
    expect(found.get("/gone")).toEqual({ stat: undefined, content: undefined });
    expect(found.get("/there")?.stat?.size).toBe(7);
    expect(String(found.get("/a")?.content)).toBe("aa");
    expect(String(found.get("/b")?.content)).toBe("bbb");
  });

  it("says nothing of files that were changed while they were read", () => {
    const found = lookReply(wanted, reply(`${lines}\0aabbb${dated(2)}\n${dated(3, 2)}\n`, gone));
    expect([...found.keys()]).toEqual(["/gone", "/there"]);
  });

  it("says nothing of a path that is hidden rather than missing", () => {
    const hidden = "stat: cannot statx '/gone': Permission denied\n";
    const found = lookReply(wanted, reply(`${lines}\0aabbb${dated(2)}\n${dated(3)}\n`, hidden));
    expect([...found.keys()]).toEqual(["/there", "/a", "/b"]);
  });

  it("says nothing at all where a file went away between two looks", () => {
    expect(lookReply(wanted, reply(`neff\n${dated(7)}\n${dated(2)}\n\0aa`, gone)).size).toBe(0);
  });
});
