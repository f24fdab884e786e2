import fc from "fast-check";
import { FakeHost } from "#engine/host/fake/host.ts";
import * as use from "#modules/index.ts";
import { FakeUnits } from "../fakes/units.ts";
import { content, file, hostWith, idle, type Scenes, scene, state, unit } from "./scene.ts";

export const unitsScenes: Scenes = {
  "systemd-unit": scene(
    fc.record({
      is: file.filter((is) => is.kind !== "file" || is.mode === 0o644),
      unit,
      dropIn: fc.constantFrom(undefined, "10-x"),
      content,
      state,
    }),
    ({ is, unit: { enabled, active }, dropIn, ...want }) => {
      const name = "demo.service";
      const path = `/etc/systemd/system/${dropIn === undefined ? name : `${name}.d/${dropIn}.conf`}`;
      const host = hostWith({ [path]: is });
      if (dropIn !== undefined) host.files.put(`/etc/systemd/system/${name}`, "[Service]\n");
      const there = is.kind === "file" || dropIn !== undefined;
      const units = { [name]: there ? { ...idle, enabled, active } : { ...idle } };
      new FakeUnits(host, units);
      const named = dropIn === undefined ? { name } : { name, dropIn };
      return { host, state: units, wish: use.systemdUnit({ ...named, ...want }) };
    },
  ),

  service: scene(
    fc.record({
      unit,
      want: fc.record({ running: fc.boolean(), enabled: fc.boolean(), masked: fc.boolean() }),
    }),
    ({ unit: { masked, active, enabled }, want }) => {
      const host = new FakeHost();
      const stands = masked ? { ...idle, masked } : { enabled, active, masked };
      const units = { "x.service": stands };
      new FakeUnits(host, units, ["x.service"]);
      return { host, state: units, wish: use.service({ name: "x.service", ...want }) };
    },
  ),

  "time-sync": scene(fc.record({ is: file, unit }), ({ is, unit: { enabled, active } }) => {
    const host = hostWith({ "/etc/systemd/timesyncd.conf.d/90-run-playbook.conf": is });
    const units = { "systemd-timesyncd.service": { enabled, active, masked: false } };
    new FakeUnits(host, units, ["systemd-timesyncd.service"]);
    return { host, state: units, wish: use.timeSync({ servers: ["2001:db8::123"] }) };
  }),
};
