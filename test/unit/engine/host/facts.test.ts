import { describe, expect, it } from "vitest";
import { sh } from "#engine/host/command.ts";
import { parseFacts, readFacts } from "#engine/host/facts.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { fakeTransport } from "#engine/host/fake/transport.ts";
import { localTransport } from "#engine/host/local.ts";

const BOOT = "2f3c1a52-6f7e-4c9e-9a57-0d6f3f4f8c11";
const printed = (more = "", uname = "Linux cp1 6.12.9-amd64 x86_64") => `uname ${uname}
boot ${BOOT}
memory 4017232
cpus 2
cgroup v2
${more}`;

describe("facts", () => {
  it("are read from what a host prints", () => {
    const os =
      'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n';
    expect(parseFacts(printed(os))).toEqual({
      hostname: "cp1",
      os: { id: "debian", version: "13", codename: "trixie" },
      arch: "amd64",
      kernel: "6.12.9-amd64",
      cgroup: "v2",
      bootId: BOOT,
      memory: 3923,
      cpus: 2,
    });
  });

  it("are facts also of an operating system that nobody knows", () => {
    const facts = parseFacts(printed("", "Linux box 6.1.0 loongarch64"));
    expect(facts).toMatchObject({
      os: { id: "unknown", version: "", codename: "" },
      arch: "loongarch64",
    });
  });

  it.each([
    ["x86_64", "amd64"],
    ["aarch64", "arm64"],
    ["riscv64", "riscv64"],
  ])("name the architecture %s as %s", (machine, arch) => {
    expect(parseFacts(printed("", `Linux cp1 6.1.0 ${machine}`)).arch).toBe(arch);
  });

  it.each([
    ["0", 1],
    ["0-3", 4],
    ["0,2-3,8-11", 7],
  ])("count the processors that are online: %s", (list, cpus) => {
    const facts = parseFacts(printed().replace("cpus 2", `online ${list}`));
    expect(facts.cpus).toBe(cpus);
  });

  it("are refused where the processors are no list of numbers", () => {
    const listed = printed().replace("cpus 2", "online 0-x");
    expect(() => parseFacts(listed)).toThrow(expect.objectContaining({ code: "PB_FACTS_INVALID" }));
  });

  it("are refused when they make no sense, with what was printed", () => {
    expect(() => parseFacts("sh: uname: not found\n")).toThrow(
      expect.objectContaining({ code: "PB_FACTS_INVALID" }),
    );
  });

  it("come in one call", async () => {
    const web = new FakeHost().script(/boot_id/, () => printed("ID=debian\n"));
    const host = await fakeTransport({ web }).connect({ name: "web", address: "web" });
    expect((await readFacts(host)).facts.os.id).toBe("debian");
    expect(web.ran).toHaveLength(1);
  });

  it("are those of this machine", async () => {
    const host = await localTransport().connect({ name: "here", address: "::1" });
    const { facts } = await readFacts(host);
    expect(facts).toMatchObject({ bootId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(facts.memory).toBeGreaterThan(100);
    const { hostname, kernel } = facts;
    const { stdout } = await host.run(sh`uname -nr`);
    expect(`${hostname} ${kernel}\n`).toBe(stdout);
    expect(`${facts.cpus}\n`).toBe((await host.run(sh`nproc --all`)).stdout);
    await host.close();
  });
});
