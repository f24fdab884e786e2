import { expect, test } from "vitest";
import { fileOn, play } from "../../../support/play.ts";
import { setting } from "../../../support/settings.ts";

test("a host that differs is changed, read again and ends as wanted", async () => {
  const { recap, outcomes, hosts, of } = await play(({ step, nodes }) => {
    step("value", { on: nodes, ensure: setting({ value: "1" }) });
  });
  expect(outcomes).toEqual({ "value @ h1": "changed", "value @ h2": "changed" });
  expect(fileOn(hosts["h1"]!, "/etc/setting-a")).toBe("1");
  expect(recap).toMatchObject({ changed: 2, ok: 0, failed: 0, exitCode: 0 });
  expect(of("change")[0]?.change).toEqual({
    say: "write /etc/setting-a",
    diff: { path: "/etc/setting-a", before: "", after: "1" },
  });
});
