import fc from "fast-check";
import { FakeHost } from "#engine/host/fake/host.ts";
import * as use from "#modules/index.ts";
import { at, content, file, hostWith, mode, owner, type Scenes, scene, state } from "./scene.ts";

export const filesScenes: Scenes = {
  file: scene(
    fc.record({
      is: at,
      want: fc.oneof(
        fc.record({ content, mode, owner }),
        fc.record({ linkTo: fc.constantFrom("/etc/x", "z") }),
        fc.record({ state: fc.constant("absent" as const) }),
      ),
    }),
    ({ is, want }) => ({
      host: hostWith({ "/etc/app/deep/x.conf": is }),
      wish: use.file({ path: "/etc/app/deep/x.conf", ...want }),
    }),
  ),

  template: scene(fc.record({ is: at, value: content, mode, state }), ({ is, value, ...want }) => ({
    host: hostWith({ "/srv/t": is }),
    wish: use.template({ path: "/srv/t", text: "<{{value}}>\n", values: { value }, ...want }),
  })),

  directory: scene(
    fc.record({
      is: fc.option(fc.record({ mode, owner })),
      want: fc.record({ mode, owner, state }),
    }),
    ({ is, want }) => {
      const host = new FakeHost();
      if (is !== null) host.files.mkdir("/srv/data/deep", is);
      return { host, wish: use.directory({ path: "/srv/data/deep", ...want }) };
    },
  ),

  "hosts-file": scene(
    fc.record({
      is: fc.option(
        fc
          .array(
            fc.constantFrom(
              "::1 localhost\n",
              "# BEGIN run-playbook\n::2 old\n# END run-playbook\n",
            ),
            { maxLength: 3 },
          )
          .map((parts) => [...new Set(parts)].join(""))
          .chain((text) => fc.constantFrom(text, text.replace(/\n$/, ""))),
      ),
      mode,
      names: fc.constantFrom<string[]>(["api"], ["api.example.net", "api"]),
      state,
    }),
    ({ is, mode, names, state }) => {
      const host = new FakeHost();
      if (is !== null) host.files.put("/etc/hosts", is, { mode });
      const wish = use.hostsFile({ entries: [{ address: "2001:db8::1", names }], state });
      return { host, wish };
    },
  ),

  "apt-source": scene(
    fc.record({ source: file, key: file, own: fc.boolean(), state }),
    ({ source, key, own, state }) => {
      const host = hostWith({
        "/etc/apt/sources.list.d/k8s.sources": source,
        "/etc/apt/keyrings/k8s.asc": key,
      });
      host.files.put("/usr/share/keyrings/k.gpg", "");
      const signed = own
        ? { key: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n" }
        : { signedBy: "/usr/share/keyrings/k.gpg" };
      const uris = ["http://[2001:db8::80]/k8s"];
      return { host, wish: use.aptSource({ name: "k8s", uris, suites: ["/"], ...signed, state }) };
    },
  ),
};
